// SPDX-License-Identifier: MIT

#include <gtest/gtest.h>

#include "hectic/pattern.h"
#include "hectic/spec.h"

namespace utils::hectic {
namespace {

TEST(HecticSpec, ParsesKindsFlagsAndCpu) {
  EXPECT_EQ(Spec::parse("rtk"), (Spec{.kind = Kind::rtk}));
  EXPECT_EQ(Spec::parse("rtup_ufpp1"), (Spec{.kind = Kind::rtup, .fpu_oob = true, .cpu = 1}));
  EXPECT_EQ(Spec::parse("rtus_ufps"), (Spec{.kind = Kind::rtus, .fpu_inband = true}));
  const Spec both{.kind = Kind::rtuo, .fpu_oob = true, .fpu_inband = true, .cpu = 12};
  EXPECT_EQ(Spec::parse("rtuo_ufpp_ufps12"), both);
  EXPECT_EQ(Spec::parse("rtuo_ufps_ufpp12"), both);
  EXPECT_EQ(both.name(), "rtuo_ufpp_ufps");
}

TEST(HecticSpec, RefusesWhatCannotBe) {
  for (const char* const text :
       {"rtk_ufpp", "rtk_ufps", "rtup_ufps", "rtus_ufpp", "rt", "", "rtuo_", "rtuo_ufpp_ufpp",
        "rtuox", "rtuo-1", "sleeper", "rtuo_ufpp 1"}) {
    EXPECT_EQ(Spec::parse(text), std::nullopt) << text;
  }
}

TEST(HecticSpec, DefaultsAreTwoOfEach) {
  EXPECT_EQ(default_specs(3, true).size(), 18U);
  EXPECT_EQ(default_specs(3, false).size(), 8U);
  for (const Spec& spec : default_specs(3, true)) {
    EXPECT_EQ(spec.cpu, 3);
    const auto parsed = Spec::parse(spec.name() + "3");
    EXPECT_EQ(parsed, spec) << "a user can ask for each of them";
  }
}

TEST(HecticPattern, BackThenOnThenTheSameAgain) {
  Pattern pattern{1, 4};
  const uint32_t expected[] = {1, 2, 2, 1, 3, 3, 1, 0, 0, 1, 2, 2};
  for (size_t turn = 0; turn < std::size(expected); ++turn) {
    const Turn next = pattern.next();
    EXPECT_EQ(next.to, expected[turn]) << turn;
    EXPECT_EQ(next.change_stage, turn % 3 == 2) << turn;
  }
}

TEST(HecticPattern, EverybodyElseGetsATurn) {
  for (uint32_t self = 0; self < 5; ++self) {
    Pattern pattern{self, 5};
    std::vector<int> seen(5);
    for (int turn = 0; turn < 40; ++turn) ++seen[pattern.next_in_turn()];
    for (uint32_t index = 0; index < 5; ++index) EXPECT_EQ(seen[index], index == self ? 0 : 10);
  }
  Pattern pair{0, 2};
  EXPECT_EQ(pair.next_in_turn(), 1U);
  EXPECT_EQ(pair.next_in_turn(), 1U);
}

TEST(HecticFpu, AValueNamesItsWriter) {
  const uint32_t value = fpu_value(17, 2'999'999);
  EXPECT_EQ(FpuWriter::of(fpu_value(17, 42)).index, 17U);
  EXPECT_FALSE(FpuWriter::of(fpu_value(17, 42)).kernel);
  EXPECT_TRUE(FpuWriter::of(fpu_value(17, 42) + 500).kernel);
  EXPECT_EQ(FpuWriter::of(value).index, 17U) << "no wrap of 32 bits in the largest turn";
  EXPECT_EQ(describe_corruption({"a", "b"}, 0, 1, 2001, "st3"),
            "st3 trashed in the switch from 0 (a) to 1 (b): it holds 2001, written by 1 (b)");
  EXPECT_NE(describe_corruption({"a"}, 0, 9, 501, "st0").find("(nobody)"), std::string::npos);
}

}  // namespace
}  // namespace utils::hectic
