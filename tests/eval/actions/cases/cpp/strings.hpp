#pragma once

#include <cctype>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace strings {

inline std::string trim(const std::string& text) {
    const char* blanks = " \t\r\n";
    std::size_t start = text.find_first_not_of(blanks);
    if (start == std::string::npos) {
        return "";
    }
    return text.substr(start, text.find_last_not_of(blanks) - start + 1);
}

inline std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::size_t start = 0;
    while (true) {
        std::size_t end = text.find(separator, start);
        if (end == std::string::npos) {
            parts.push_back(text.substr(start));
            return parts;
        }
        parts.push_back(text.substr(start, end - start));
        start = end + 1;
    }
}

inline std::string join(const std::vector<std::string>& parts, const std::string& separator) {
    std::string text;
    for (std::size_t index = 0; index < parts.size(); ++index) {
        if (index > 0) {
            text += separator;
        }
        text += parts[index];
    }
    return text;
}

inline std::map<std::string, std::string> parse_pairs(const std::string& text) {
    std::map<std::string, std::string> pairs;
    for (const std::string& line : split(text, '\n')) {
        std::size_t equals = line.find('=');
        if (equals == std::string::npos) {
            if (!trim(line).empty()) {
                throw std::invalid_argument("no '=' in: " + line);
            }
            continue;
        }
        pairs[trim(line.substr(0, equals))] = trim(line.substr(equals + 1));
    }
    return pairs;
}

inline int count_vowels(const std::string& text) {
    auto vowels = std::string("aeiou");
    auto count = 0;
    for (auto letter : text) {
        if (vowels.find(std::tolower(letter)) != std::string::npos) {
            ++count;
        }
    }
    return count;
}

inline std::string title_case(const std::string& text) {
    std::string result = text;
    bool start = true;
    for (char& letter : result) {
        letter = static_cast<char>(start ? std::toupper(letter) : std::tolower(letter));
        start = letter == ' ';
    }
    return result;
}

}  // namespace strings

#ifdef SELF_TEST
#include <cassert>

int main() {
    assert(strings::trim("  a b \n") == "a b");
    assert(strings::trim("  ").empty());
    assert(strings::split("a,b,", ',').size() == 3);
    assert(strings::join({"a", "b"}, ", ") == "a, b");
    assert(strings::parse_pairs("a = 1\n\nb=2").at("a") == "1");
    assert(strings::count_vowels("Umbrella") == 3);
    assert(strings::title_case("hello wORLD") == "Hello World");
}
#endif
