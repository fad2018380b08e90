// What a C++ program makes of small objects: maps, strings, shared pointers, and threads that hand on.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace {

struct Node {
    std::string name;
    std::vector<std::shared_ptr<Node>> children;
};

class Random {
public:
    explicit Random(std::uint64_t seed) : state(seed * 2 + 1) {}
    std::uint32_t below(std::uint32_t limit) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return static_cast<std::uint32_t>(state >> 33) % limit;
    }

private:
    std::uint64_t state;
};

// A tree whose nodes know their children, by shared pointers; the sum of the lengths of their names.
std::uint64_t tree(Random &random, unsigned count) {
    std::vector<std::shared_ptr<Node>> nodes{std::make_shared<Node>()};
    for (unsigned number = 1; number < count; ++number) {
        auto node = std::make_shared<Node>();
        node->name = "a node with the number " + std::to_string(number);
        nodes[random.below(static_cast<std::uint32_t>(nodes.size()))]->children.push_back(node);
        nodes.push_back(std::move(node));
    }
    std::uint64_t sum = 0;
    for (const auto &node : nodes) {
        sum += node->name.size() * (1 + node->children.size());
    }
    return sum;
}

// Strings that come and go in an ordered and an unordered map.
std::uint64_t maps(Random &random, unsigned count) {
    std::map<std::string, std::vector<unsigned>> ordered;
    std::unordered_map<unsigned, std::string> hashed;
    for (unsigned number = 0; number < count; ++number) {
        const unsigned key = random.below(count / 4 + 1);
        ordered["key " + std::to_string(key)].push_back(number);
        hashed[key] += "value";
        if (number % 3 == 0) {
            ordered.erase("key " + std::to_string(random.below(count / 4 + 1)));
            hashed.erase(random.below(count / 4 + 1));
        }
    }
    std::uint64_t sum = 0;
    for (const auto &[key, numbers] : ordered) {
        sum = sum * 31 + key.size() + numbers.size();
    }
    return sum + hashed.size();
}

} // namespace

int main(int, char **arguments) {
    const auto count = static_cast<unsigned>(std::atoi(arguments[1]));
    std::vector<std::uint64_t> sums(4);
    std::vector<std::thread> threads;
    for (std::size_t index = 0; index < sums.size(); ++index) {
        threads.emplace_back([&sums, index, count] {
            Random random(index);
            sums[index] = tree(random, count) + maps(random, count);
        });
    }
    for (auto &thread : threads) {
        thread.join();
    }
    for (const auto sum : sums) {
        std::printf("%llu\n", static_cast<unsigned long long>(sum));
    }
}
