package org.junit.jupiter.api;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;

/** Marks what runs around each test. */
@Retention(RetentionPolicy.RUNTIME)
public @interface AfterEach {}
