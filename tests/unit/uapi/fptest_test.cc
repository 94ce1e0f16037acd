// SPDX-License-Identifier: MIT
#include <asm/evl/fptest.h>
#include <gtest/gtest.h>

namespace {

// The features of this machine, as the core would report them.
unsigned int features() {
  __builtin_cpu_init();
  return evl_x86_xmm2 | (__builtin_cpu_supports("avx") != 0 ? evl_x86_avx : 0u);
}

TEST(FpuTest, RegistersKeepTheirValueIfNobodyTouchesThem) {
  for (const unsigned int set : {0u, static_cast<unsigned int>(evl_x86_xmm2), features()}) {
    for (unsigned int value = 0; value < 100'000; value += 777) {
      unsigned int bad = 99;
      evl_set_fpregs(set, value);
      const unsigned int found = evl_check_fpregs(set, value, bad);
      ASSERT_EQ(found, value) << "features " << set << ", register " << bad;
      ASSERT_EQ(bad, 99u);
    }
  }
}

TEST(FpuTest, ADamagedRegisterIsNamed) {
  unsigned int bad = 99;
  evl_set_fpregs(evl_x86_xmm2, 1234u);
  __asm__ volatile("pxor %%xmm9, %%xmm9" : : : "xmm9");
  const unsigned int found = evl_check_fpregs(evl_x86_xmm2, 1234u, bad);
  EXPECT_EQ(found, 0u);
  EXPECT_EQ(bad, 8u + 9u);

  evl_set_fpregs(0u, 1234u);
  __asm__ volatile("fstp %st(0)\n\tfldpi");
  const unsigned int top = evl_check_fpregs(0u, 1234u, bad);
  EXPECT_EQ(top, 3u);
  EXPECT_EQ(bad, 0u);
}

}  // namespace
