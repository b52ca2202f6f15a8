package org.junit.jupiter.api;

/** Names a test for people. */
public @interface DisplayName {
    String value();
}
