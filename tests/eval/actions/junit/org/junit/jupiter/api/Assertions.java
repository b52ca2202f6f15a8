package org.junit.jupiter.api;

import java.util.Arrays;
import java.util.Objects;

/** The assertions that tests of small functions use. */
public final class Assertions {
    private Assertions() {}

    /** Code that may throw anything. */
    public interface Executable {
        void execute() throws Throwable;
    }

    public static void assertEquals(Object expected, Object actual) {
        if (!Objects.equals(expected, actual)) {
            fail("expected " + expected + " but was " + actual);
        }
    }

    public static void assertEquals(Object expected, Object actual, String message) {
        assertEquals(expected, actual);
    }

    public static void assertEquals(long expected, long actual) {
        assertEquals((Object) expected, (Object) actual);
    }

    public static void assertEquals(double expected, double actual, double delta) {
        assertTrue(Math.abs(expected - actual) <= delta, "expected " + expected + " but was " + actual);
    }

    public static void assertNotEquals(Object unexpected, Object actual) {
        assertFalse(Objects.equals(unexpected, actual), "unexpected " + actual);
    }

    public static void assertIterableEquals(Iterable<?> expected, Iterable<?> actual) {
        assertEquals((Object) expected, (Object) actual);
    }

    public static void assertArrayEquals(Object[] expected, Object[] actual) {
        assertTrue(Arrays.deepEquals(expected, actual), "the arrays differ");
    }

    public static void assertTrue(boolean condition) {
        assertTrue(condition, "expected true");
    }

    public static void assertTrue(boolean condition, String message) {
        if (!condition) {
            fail(message);
        }
    }

    public static void assertFalse(boolean condition) {
        assertTrue(!condition, "expected false");
    }

    public static void assertFalse(boolean condition, String message) {
        assertTrue(!condition, message);
    }

    public static void assertNull(Object actual) {
        assertTrue(actual == null, "expected null but was " + actual);
    }

    public static void assertNotNull(Object actual) {
        assertTrue(actual != null, "expected something");
    }

    public static <T extends Throwable> T assertThrows(Class<T> type, Executable code) {
        try {
            code.execute();
        } catch (Throwable thrown) {
            if (type.isInstance(thrown)) {
                return type.cast(thrown);
            }
            throw new AssertionError("threw " + thrown, thrown);
        }
        throw new AssertionError("threw nothing");
    }

    public static <T extends Throwable> T assertThrows(Class<T> type, Executable code, String message) {
        return assertThrows(type, code);
    }

    public static void assertDoesNotThrow(Executable code) {
        try {
            code.execute();
        } catch (Throwable thrown) {
            throw new AssertionError("threw " + thrown, thrown);
        }
    }

    public static void fail(String message) {
        throw new AssertionError(message);
    }
}
