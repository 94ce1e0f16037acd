// SPDX-License-Identifier: MIT
#include <string.h>

#include <string>

#include "fixture.h"

namespace {

class SigdebugTest : public LibTest {
 protected:
  // What the handler prints for a signal of this value.
  std::string report(unsigned int value) {
    siginfo_t info{};
    info.si_value.sival_int = static_cast<int>(value);
    core().file(1).written.clear();
    evl_sigdebug_handler(SIGDEBUG, &info, nullptr);
    return core().file(1).written;
  }
};

TEST_F(SigdebugTest, EachCauseHasALineOfItsOwn) {
  std::vector<std::string> lines;
  for (unsigned int cause = EVL_HMDIAG_SIGDEMOTE; cause <= EVL_HMDIAG_STAGEX; ++cause) {
    const std::string line = report(0xfccf0000u | cause);
    EXPECT_TRUE(line.ends_with('\n')) << cause;
    for (const std::string& other : lines) EXPECT_NE(line, other);
    lines.push_back(line);
  }
  EXPECT_EQ(report(0xfccf0000u | EVL_HMDIAG_OVERRUN), "");
}

TEST_F(SigdebugTest, SignalsOfSomebodyElseAreNotCommented) {
  EXPECT_EQ(report(1), "");
  EXPECT_EQ(report(0xfccd0001u), "");
  EXPECT_EQ(report(0xfccf0000u), "");
  EXPECT_EQ(report(0xfccf00ffu), "");
}

}  // namespace
