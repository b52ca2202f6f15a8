import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Runs the tests of a class; fails if one fails, or if there is none. */
public final class RunTests {
    private RunTests() {}

    public static void main(String[] arguments) throws Exception {
        Class<?> tests = Class.forName(arguments[0]);
        Constructor<?> constructor = tests.getDeclaredConstructor();
        constructor.setAccessible(true);
        int ran = 0;
        int failed = 0;
        for (Method method : tests.getDeclaredMethods()) {
            if (!method.isAnnotationPresent(Test.class)) {
                continue;
            }
            Object instance = constructor.newInstance();
            try {
                runAll(tests, instance, BeforeEach.class);
                method.setAccessible(true);
                method.invoke(instance);
            } catch (InvocationTargetException thrown) {
                failed++;
                System.out.println(method.getName() + ": " + thrown.getCause());
            }
            ran++;
        }
        System.out.println(ran + " ran, " + failed + " failed");
        System.exit(ran > 0 && failed == 0 ? 0 : 1);
    }

    private static void runAll(
            Class<?> tests, Object instance, Class<? extends java.lang.annotation.Annotation> mark)
            throws ReflectiveOperationException {
        for (Method method : tests.getDeclaredMethods()) {
            if (method.isAnnotationPresent(mark)) {
                method.setAccessible(true);
                method.invoke(instance);
            }
        }
    }
}
