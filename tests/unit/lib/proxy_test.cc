// SPDX-License-Identifier: MIT
#include "evl/proxy.h"

#include <atomic>
#include <string>

#include "evl/xbuf.h"
#include "fixture.h"

// Of the address sanitizer's allocator, which serves the C library too. GCC has no header for it.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*,
                                                                             size_t),
                                                         void (*free_hook)(const volatile void*));

namespace {

std::atomic<bool> watch_allocations{false};
std::atomic<int> allocations{0};

void on_malloc(const volatile void*, size_t) {
  if (watch_allocations.load(std::memory_order_relaxed)) ++allocations;
}
void on_free(const volatile void*) {}

class ProxyTest : public LibTest {
 protected:
  std::string& printed() { return core().file(evl_stdout()).written; }
};

TEST_F(ProxyTest, BeforeInitializationStandardErrorHasToDo) {
  EXPECT_EQ(evl_stdout(), -EBADF);
  EXPECT_EQ(evl_stderr(), -EBADF);
  EXPECT_EQ(evl_printf("%d\n", 1), 2);
  EXPECT_EQ(core().file(2).written, "1\n");
}

TEST_F(ProxyTest, OutputTakesTheStageOfTheCaller) {
  ASSERT_EQ(evl_init(), 0);
  EXPECT_EQ(evl_printf("in-band %d\n", 1), 10);
  EXPECT_FALSE(core().file(evl_stdout()).written_oob);
  attach("one");
  core().reset_counts();
  EXPECT_EQ(evl_printf("oob %d\n", 2), 6);
  EXPECT_TRUE(core().file(evl_stdout()).written_oob);
  EXPECT_EQ(printed(), "in-band 1\noob 2\n");
  EXPECT_EQ(evl_eprintf("%s", "error"), 5);
  EXPECT_EQ(core().file(evl_stderr()).written, "error");
  EXPECT_EQ(core().in_band_calls(), 0) << "nothing of it switches in-band";
  EXPECT_EQ(evl_print_proxy(-1, "lost"), -EBADFD);
}

TEST_F(ProxyTest, LongLinesAreCutAndTheCountTellsWhatWasSent) {
  ASSERT_EQ(evl_init(), 0);
  EXPECT_EQ(evl_printf("%1023d", 1), 1023);
  EXPECT_EQ(printed().size(), 1023u);
  printed().clear();
  EXPECT_EQ(evl_printf("%5000d", 1), 1023);
  EXPECT_EQ(printed(), std::string(1023, ' '));
  EXPECT_EQ(evl_printf("%s", ""), 0);
}

TEST_F(ProxyTest, FormattingIntegersAndStringsDoesNotAllocate) {
  attach("one");
  printed().reserve(4096);
  ASSERT_GT(__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free), 0);
  watch_allocations = true;
  delete new int;
  ASSERT_EQ(allocations.exchange(0), 1) << "the hook works";
  const ssize_t sent = evl_printf("%d %u %llx %ld %zu %p %c %s %-20s|%08x|%+d\n", -1, 2u, 3ull, 4L,
                                  sizeof(int), nullptr, 'c', "text", "left", 0xbeefu, 7);
  watch_allocations = false;
  EXPECT_EQ(sent, static_cast<ssize_t>(printed().size()));
  EXPECT_EQ(printed(), "-1 2 3 4 4 (nil) c text left                |0000beef|+7\n");
  EXPECT_EQ(allocations.load(), 0);
}

TEST_F(ProxyTest, AttributesAreCheckedBeforeTheyAreNarrowed) {
  EXPECT_EQ(evl_new_proxy(1, (size_t{1} << 30) + 1, "p"), -EINVAL);
  EXPECT_EQ(evl_new_proxy(1, (size_t{1} << 32) + 4096, "p"), -EINVAL);
  EXPECT_EQ(evl_create_proxy(1, 4096, size_t{1} << 33, 0, "p"), -EINVAL);
  EXPECT_EQ(evl_create_proxy(1, 4096, 1000, 0, "p"), -EINVAL) << "not a multiple";
  EXPECT_EQ(evl_create_proxy(1, 0, 0, EVL_CLONE_OUTPUT, "p"), -EINVAL) << "maps only";
  EXPECT_EQ(evl_create_proxy(1, 4096, 0, EVL_CLONE_OBSERVABLE, "p"), -EINVAL);
  EXPECT_GE(evl_create_proxy(1, 0, 0, 0, "maps"), 0);
  EXPECT_EQ(core().last_clone_flags, 0u);
  EXPECT_GE(evl_create_proxy(1, 4096, 8, 0, "writes"), 0);
  EXPECT_EQ(core().last_clone_flags, EVL_CLONE_OUTPUT) << "the default direction";
  EXPECT_GE(evl_create_proxy(1, 4096, 8, EVL_CLONE_INPUT, "reads"), 0);
  EXPECT_EQ(core().last_clone_flags, EVL_CLONE_INPUT);
}

TEST_F(ProxyTest, CrossBuffersHaveASizeInOneDirectionAtLeast) {
  EXPECT_EQ(evl_new_xbuf(0, "x"), -EINVAL);
  EXPECT_EQ(evl_new_xbuf((size_t{1} << 30) + 1, "x"), -EINVAL);
  EXPECT_EQ(evl_create_xbuf(1, size_t{1} << 32, 0, "x"), -EINVAL);
  EXPECT_GE(evl_create_xbuf(0, 1024, 0, "x:%d", 1), 0);
  EXPECT_EQ(evl_create_xbuf(0, 1024, EVL_CLONE_INPUT, "y"), -EINVAL);
}

}  // namespace
