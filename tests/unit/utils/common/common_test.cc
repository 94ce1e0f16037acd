// SPDX-License-Identifier: MIT

#include <gtest/gtest.h>

#include <cerrno>

#include "../fake_system.h"
#include "common/cpu_list.h"
#include "common/files.h"
#include "common/json.h"
#include "common/text.h"

namespace utils {
namespace {

TEST(Text, ANumberIsTheWholeText) {
  EXPECT_EQ(to_integer("42"), 42);
  EXPECT_EQ(to_integer("-7", -10, 0), -7);
  for (const char* const text : {"", " 1", "1 ", "1x", "x", "0x10", "99999999999999999999"}) {
    EXPECT_EQ(to_integer(text), std::nullopt) << text;
  }
  EXPECT_EQ(to_integer("101", 1, 100), std::nullopt);
}

TEST(Text, SplitKeepsEmptyPiecesAndWordsDropsThem) {
  EXPECT_EQ(split("a,,b", ',').size(), 3U);
  EXPECT_EQ(split("", ',').size(), 1U);
  EXPECT_EQ(words(" a \t b\n").size(), 2U);
  EXPECT_TRUE(words(" \n").empty());
  EXPECT_EQ(trim(" \ta b\n"), "a b");
}

TEST(Text, FormatsAndEscapes) {
  EXPECT_EQ(format("%s-%d", "x", 3), "x-3");
  EXPECT_EQ(format("%s", ""), "");
  EXPECT_EQ(format("%s", std::string(5000, 'a').c_str()).size(), 5000U);
  EXPECT_EQ(escape_xml("<a b=\"c\"> & \x01"), "&lt;a b=&quot;c&quot;&gt; &amp;  ");
  EXPECT_EQ(clock_time(3 * 3600 + 25 * 60 + 45), "03:25:45");
  EXPECT_EQ(clock_time(100 * 3600), "100:00:00");
}

TEST(CpuList, ParsesWhatTheKernelPrintsAndWhatUsersType) {
  using Set = std::set<int>;
  EXPECT_EQ(parse_cpu_list("0,2-3", 7), (Set{0, 2, 3}));
  EXPECT_EQ(parse_cpu_list("6-", 7), (Set{6, 7}));
  EXPECT_EQ(parse_cpu_list("-2", 7), (Set{0, 1, 2}));
  EXPECT_EQ(parse_cpu_list("\n", 7), Set{});
  for (const char* const text : {"8", "3-1", "a", "1,", "-", "1--2", "1 2"}) {
    EXPECT_EQ(parse_cpu_list(text, 7), std::nullopt) << text;
  }
}

TEST(CpuList, FormatsAsTheKernelDoes) {
  EXPECT_EQ(format_cpu_list({0, 2, 3, 4, 7}), "0,2-4,7");
  EXPECT_EQ(format_cpu_list({}), "");
}

TEST(Json, NestsAndEscapes) {
  JsonWriter json;
  json.begin_object().member("a", 1).name("b").begin_array().value("x\"\\\n\x02").value(true);
  json.begin_object().end_object().null().end_array().member("c", 1.5).end_object();
  EXPECT_EQ(json.text(), "{\"a\":1,\"b\":[\"x\\\"\\\\\\n\\u0002\",true,{},null],\"c\":1.5}");
}

TEST(Json, DoublesLoseTrailingZerosOnly) {
  JsonWriter json;
  json.begin_array().value(100.0).value(0.25).value(-1.0005).value(0.0).end_array();
  EXPECT_EQ(json.text(), "[100,0.25,-1,0]");
}

TEST(Files, ReadsWithoutTheLastLineEnd) {
  FakeSystem fake;
  fake.put("/a", "text");
  EXPECT_EQ(read_file(fake.root() + "/a"), "text");
  EXPECT_EQ(read_file(fake.root() + "/b"), std::nullopt);
}

TEST(Files, ANewFileReplacesNothing) {
  FakeSystem fake;
  const std::string path = fake.root() + "/plot";
  EXPECT_EQ(write_new_file(path, "1"), 0);
  EXPECT_EQ(write_new_file(path, "2"), -EEXIST);
  EXPECT_EQ(read_file(path), "1");
  EXPECT_EQ(write_file(path, "3"), 0);
  EXPECT_EQ(read_file(path), "3");
  EXPECT_EQ(write_attribute(fake.root() + "/none", "1"), -ENOENT);
}

TEST(System, KnowsTheCoreByItsControlDevice) {
  FakeSystem fake;
  EXPECT_FALSE(fake.system().has_core());
  fake.put("/dev/evl/control", "");
  fake.put("/sys/devices/virtual/evl/control/cpus", "1-2");
  EXPECT_TRUE(fake.system().has_core());
  EXPECT_EQ(fake.system().oob_cpus(), (std::set<int>{1, 2}));
  EXPECT_TRUE(fake.system().isolated_cpus().empty());
}

}  // namespace
}  // namespace utils
