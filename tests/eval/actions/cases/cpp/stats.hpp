#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace stats {

inline double mean(const std::vector<double>& values) {
    if (values.empty()) {
        throw std::invalid_argument("no values");
    }
    return std::accumulate(values.begin(), values.end(), 0.0) / values.size();
}

inline double variance(const std::vector<double>& values) {
    double average = mean(values);
    double sum = 0.0;
    for (double value : values) {
        sum += (value - average) * (value - average);
    }
    return sum / values.size();
}

inline double median(std::vector<double> values) {
    if (values.empty()) {
        throw std::invalid_argument("no values");
    }
    std::sort(values.begin(), values.end());
    std::size_t middle = values.size() / 2;
    if (values.size() % 2 == 1) {
        return values[middle];
    }
    return (values[middle - 1] + values[middle]) / 2;
}

inline std::vector<double> moving_average(const std::vector<double>& values, std::size_t window) {
    std::vector<double> averages;
    if (window == 0 || window > values.size()) {
        return averages;
    }
    double sum = 0.0;
    for (std::size_t index = 0; index < values.size(); ++index) {
        sum += values[index];
        if (index >= window) {
            sum -= values[index - window];
        }
        if (index + 1 >= window) {
            averages.push_back(sum / window);
        }
    }
    return averages;
}

inline double largest_jump(const std::vector<double>& values) {
    auto largest = 0.0;
    for (std::size_t index = 1; index < values.size(); ++index) {
        auto jump = std::abs(values[index] - values[index - 1]);
        largest = std::max(largest, jump);
    }
    return largest;
}

class RunningTotal {
public:
    void add(double value) {
        ++count_;
        total_ += value;
    }

    std::size_t count() const { return count_; }

    double average() const { return count_ == 0 ? 0.0 : total_ / count_; }

private:
    std::size_t count_ = 0;
    double total_ = 0.0;
};

}  // namespace stats

#ifdef SELF_TEST
#include <cassert>

int main() {
    assert(stats::mean({1, 2, 3}) == 2);
    assert(stats::variance({1, 3}) == 1);
    assert(stats::median({3, 1, 2}) == 2);
    assert(stats::median({4, 1, 2, 3}) == 2.5);
    assert(stats::moving_average({1, 2, 3, 4}, 2).size() == 3);
    assert(stats::largest_jump({1, 5, 4}) == 4);
    stats::RunningTotal total;
    total.add(2);
    total.add(4);
    assert(total.average() == 3);
}
#endif
