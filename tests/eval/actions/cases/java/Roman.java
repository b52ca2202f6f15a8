import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Roman numerals from 1 to 3999. */
public final class Roman {
    private static final int[] VALUES = {1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1};
    private static final String[] SYMBOLS = {
        "M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"
    };

    private Roman() {}

    public static String toRoman(int number) {
        if (number < 1 || number > 3999) {
            throw new IllegalArgumentException("out of range: " + number);
        }
        StringBuilder text = new StringBuilder();
        for (int index = 0; index < VALUES.length; index++) {
            while (number >= VALUES[index]) {
                text.append(SYMBOLS[index]);
                number -= VALUES[index];
            }
        }
        return text.toString();
    }

    public static int fromRoman(String text) {
        int total = 0;
        int position = 0;
        for (int index = 0; index < VALUES.length; index++) {
            while (text.startsWith(SYMBOLS[index], position)) {
                total += VALUES[index];
                position += SYMBOLS[index].length();
            }
        }
        if (position != text.length() || total == 0) {
            throw new IllegalArgumentException("not a numeral: " + text);
        }
        return total;
    }

    public static List<String> range(int first, int last) {
        List<String> numerals = new ArrayList<>();
        for (int number = first; number <= last; number++) {
            numerals.add(toRoman(number));
        }
        return numerals;
    }

    public static List chapterTitles(List names) {
        List titles = new ArrayList();
        int number = 1;
        for (Object name : names) {
            titles.add(toRoman(number) + ". " + name);
            number++;
        }
        return titles;
    }

    public static Map<String, Integer> table(int last) {
        Map<String, Integer> table = new LinkedHashMap<>();
        for (int number = 1; number <= last; number++) {
            table.put(toRoman(number), number);
        }
        return table;
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    public static void main(String[] arguments) {
        check(toRoman(1994).equals("MCMXCIV"), "toRoman");
        check(fromRoman("MCMXCIV") == 1994, "fromRoman");
        check(range(3, 5).equals(List.of("III", "IV", "V")), "range");
        check(chapterTitles(List.of("Start", "End")).equals(List.of("I. Start", "II. End")), "titles");
        check(table(4).get("IV") == 4, "table");
        try {
            toRoman(0);
        } catch (IllegalArgumentException expected) {
            return;
        }
        throw new AssertionError("toRoman(0)");
    }
}
