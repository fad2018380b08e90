// Every form of new and delete, containers, threads, the handler and the exception.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

struct alignas(256) Wide {
    char bytes[300];
};

struct Full : std::bad_alloc {};

static int handled;

static void handler() {
    if (++handled == 3) std::set_new_handler(nullptr);
}

static void *too_much() {
    volatile std::size_t bytes = std::size_t(1) << 60;
    return ::operator new(bytes);
}

int main() {
    std::map<std::string, std::vector<int>> map;
    for (int i = 0; i < 100000; i++) map[std::to_string(i % 5000)].push_back(i);
    std::size_t sum = 0;
    for (auto &[key, values] : map) sum += key.size() * values.size();
    std::printf("containers %zu\n", sum);

    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++)
        threads.emplace_back([] {
            std::vector<std::unique_ptr<std::string>> strings;
            for (int i = 0; i < 50000; i++) {
                strings.emplace_back(new std::string(i % 100, 'x'));
                if (strings.size() > 100) strings.clear();
            }
        });
    for (auto &thread : threads) thread.join();

    auto *wide = new Wide[7];
    std::printf("aligned %d\n", int(reinterpret_cast<std::uintptr_t>(wide) % 256));
    delete[] wide;
    auto *one = new (std::nothrow) Wide;
    std::printf("aligned %d\n", int(reinterpret_cast<std::uintptr_t>(one) % 256));
    delete one;
    delete static_cast<int *>(nullptr);

    for (int round = 0; round < 2; round++) {
        try {
            too_much();
            std::puts("served");
        } catch (const std::bad_alloc &) {
            std::printf("caught after %d calls of the handler\n", handled);
        }
        std::set_new_handler(handler);
    }
    std::set_new_handler(nullptr);
    volatile std::size_t bytes = std::size_t(1) << 60;
    std::printf("%s\n", ::operator new(bytes, std::nothrow) ? "served" : "null");

    // A new that does not throw catches what the handler throws; one that throws lets it pass.
    std::set_new_handler([] { throw Full(); });
    std::printf("%s\n", ::operator new(bytes, std::nothrow) ? "served" : "null");
    std::printf("%s\n", ::operator new[](bytes, std::nothrow) ? "served" : "null");
    const auto wide_align = std::align_val_t(256);
    std::printf("%s\n", ::operator new(bytes, wide_align, std::nothrow) ? "served" : "null");
    try {
        too_much();
        std::puts("served");
    } catch (const Full &) {
        std::puts("caught what the handler threw");
    }
    handled = 0;
    std::set_new_handler(handler);
    const bool served = ::operator new(bytes, std::nothrow);
    std::printf("%s after %d calls of the handler\n", served ? "served" : "null", handled);
}
