import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Counts words of a text. */
public final class WordStats {
    private final Map<String, Integer> counts = new TreeMap<>();
    private int total;

    public void add(String text) {
        for (String word : text.toLowerCase().split("[^a-z]+")) {
            if (word.isEmpty()) {
                continue;
            }
            counts.merge(word, 1, Integer::sum);
            total++;
        }
    }

    public int count(String word) {
        return counts.getOrDefault(word.toLowerCase(), 0);
    }

    public double frequency(String word) {
        return total == 0 ? 0.0 : (double) count(word) / total;
    }

    public List<String> mostCommon(int limit) {
        List<String> words = new ArrayList<>(counts.keySet());
        words.sort((left, right) -> counts.get(right) - counts.get(left));
        return words.subList(0, Math.min(limit, words.size()));
    }

    public static boolean isPalindrome(String text) {
        String letters = text.toLowerCase().replaceAll("[^a-z]", "");
        return new StringBuilder(letters).reverse().toString().equals(letters);
    }

    public static String capitalize(String word) {
        if (word.isEmpty()) {
            return word;
        }
        return Character.toUpperCase(word.charAt(0)) + word.substring(1);
    }

    public static int longestLength(List<String> words) {
        var longest = 0;
        for (var word : words) {
            var length = word.length();
            longest = Math.max(longest, length);
        }
        return longest;
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    public static void main(String[] arguments) {
        WordStats stats = new WordStats();
        stats.add("The cat and the dog. The end");
        check(stats.count("The") == 3, "count");
        check(Math.abs(stats.frequency("cat") - 1.0 / 7) < 1e-9, "frequency");
        check(stats.mostCommon(2).equals(List.of("the", "and")), "mostCommon");
        check(isPalindrome("A man, a plan, a canal: Panama"), "isPalindrome");
        check(!isPalindrome("ab"), "isPalindrome");
        check(capitalize("tea").equals("Tea"), "capitalize");
        check(longestLength(List.of("a", "abc", "ab")) == 3, "longestLength");
    }
}
