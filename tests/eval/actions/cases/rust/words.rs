//! Words of a text, and how often they occur.

use std::collections::HashMap;

pub fn word_counts(text: &str) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for word in text.split_whitespace() {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        if !word.is_empty() {
            *counts.entry(word).or_insert(0) += 1;
        }
    }
    counts
}

pub fn most_common(counts: &HashMap<String, usize>, limit: usize) -> Vec<(String, usize)> {
    let mut pairs: Vec<(String, usize)> = counts.iter().map(|(w, n)| (w.clone(), *n)).collect();
    pairs.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    pairs.truncate(limit);
    pairs
}

pub fn is_anagram(first: &str, second: &str) -> bool {
    let letters = |word: &str| {
        let mut letters: Vec<char> = word.to_lowercase().chars().collect();
        letters.sort();
        letters
    };
    letters(first) == letters(second)
}

pub fn caesar(text: &str, shift: u8) -> String {
    let shift = shift % 26;
    text.chars()
        .map(|c| match c {
            'a'..='z' => ((c as u8 - b'a' + shift) % 26 + b'a') as char,
            'A'..='Z' => ((c as u8 - b'A' + shift) % 26 + b'A') as char,
            _ => c,
        })
        .collect()
}

pub fn longest_word(text: &str) -> Option<&str> {
    let mut longest: Option<&str> = None;
    for word in text.split_whitespace() {
        if longest.map_or(true, |best| word.len() > best.len()) {
            longest = Some(word);
        }
    }
    longest
}

pub fn initials(name: &str) -> String {
    name.split_whitespace().filter_map(|part| part.chars().next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting() {
        let counts = word_counts("Tea, tea and milk.");
        assert_eq!(counts["tea"], 2);
        assert_eq!(most_common(&counts, 2), vec![("tea".to_string(), 2), ("and".to_string(), 1)]);
    }

    #[test]
    fn single_words() {
        assert!(is_anagram("Listen", "silent"));
        assert_eq!(caesar("Abz!", 1), "Bca!");
        assert_eq!(longest_word("a tree is"), Some("tree"));
        assert_eq!(initials("Ada King Lovelace"), "AKL");
    }
}
