// SPDX-License-Identifier: MIT

#include <evl/thread-abi.h>
#include <gtest/gtest.h>

#include "../fake_system.h"
#include "common/text.h"
#include "evl-ps/table.h"

namespace utils {
namespace {

constexpr Wanted kAll{.stats = true, .timeout = true, .wchan = true};

class Threads : public ::testing::Test {
 protected:
  void add(const std::string& name, const std::string& pid, const std::string& state,
           const std::string& sched, const std::string& stats, const std::string& timeout = "0",
           const std::string& wchan = "-") {
    const std::string folder = "/sys/devices/virtual/thread/" + name;
    fake_.put(folder + "/pid", pid);
    fake_.put(folder + "/state", state);
    fake_.put(folder + "/sched", sched);
    fake_.put(folder + "/stats", stats);
    fake_.put(folder + "/timeout", timeout);
    fake_.put(folder + "/wchan", wchan);
  }
  void SetUp() override {
    fake_.put("/sys/devices/virtual/thread/clone/dev", "1:2");
    add("responder", "398", "0x4006", "1 98 99 fifo", "1 2000 3000 4 1002003456 125", "2003000",
        "mutex:7");
    add("watcher", "12", "0x2", "0 0 0 weak", "0 7 8 9 5000 3");
  }
  std::vector<ThreadRow> read(Wanted wanted = kAll) {
    return read_threads(fake_.root() + "/sys/devices/virtual/thread", wanted);
  }

  FakeSystem fake_;
};

TEST_F(Threads, AreReadFromTheirAttributes) {
  const auto rows = read();
  ASSERT_EQ(rows.size(), 2U);
  const ThreadRow& row = rows[0];
  EXPECT_EQ(row.name, "responder");
  EXPECT_EQ(row.pid, 398);
  EXPECT_EQ(row.cpu, 1);
  EXPECT_EQ(row.base_priority, 98);
  EXPECT_EQ(row.priority, 99);
  EXPECT_EQ(row.policy, "fifo");
  EXPECT_EQ(row.inband_switches, 1);
  EXPECT_EQ(row.remote_wakeups, 4);
  EXPECT_EQ(row.cpu_time_ns, 1002003456);
  EXPECT_EQ(row.cpu_permille, 125);
  EXPECT_TRUE(row.in_user_space());
  EXPECT_FALSE(rows[1].in_user_space());
}

TEST_F(Threads, AnOlderCoreHasFiveStatistics) {
  ThreadRow row;
  ASSERT_TRUE(parse_stats("1 2 3 5000 125", &row));
  EXPECT_EQ(row.requests, 3);
  EXPECT_EQ(row.remote_wakeups, 0);
  EXPECT_EQ(row.cpu_time_ns, 5000);
  EXPECT_EQ(row.cpu_permille, 125);
  for (const char* const text : {"", "1 2 3 4", "1 2 3 4 5 6 7", "1 2 x 4 5 6", "-1 2 3 4 5 6"}) {
    EXPECT_FALSE(parse_stats(text, &row)) << text;
  }
}

TEST_F(Threads, ThatCannotBeUnderstoodAreDropped) {
  add("odd", "1", "6", "1 2 3 fifo", "0 0 0 0 0 0");
  add("short", "1", "0x6", "1 2", "0 0 0 0 0 0");
  fake_.remove("/sys/devices/virtual/thread/watcher/pid");
  EXPECT_EQ(read().size(), 1U);
}

TEST_F(Threads, OnlyTheAttributesOfTheColumnsAreRead) {
  fake_.remove("/sys/devices/virtual/thread/watcher/stats");
  EXPECT_EQ(read().size(), 1U);
  EXPECT_EQ(read(wanted_for({.policy = true}, {})).size(), 2U);
  EXPECT_EQ(read(wanted_for({.policy = true}, *Order::parse("x"))).size(), 1U);
}

TEST_F(Threads, PolicyTable) {
  auto rows = read();
  sort_rows(&rows, {});
  EXPECT_EQ(format_table(rows, {.policy = true}),
            "CPU   PID   SCHED   PRIO  NAME\n"
            "  0   12     weak     0   [watcher]\n"
            "  1   398    fifo    99   responder\n");
}

TEST_F(Threads, LongTable) {
  auto rows = read();
  keep_cpus(&rows, {1});
  EXPECT_EQ(
      format_table(rows, Groups::everything()),
      "CPU   PID   SCHED   PRIO  ISW     CTXSW     SYS       RWA        STAT    TIMEOUT       %CPU"
      "        CPUTIME  WCHAN                 NAME\n"
      "  1   398    fifo    99   1       2000      3000      4          w       2.003         12.5"
      "      1:002.003  mutex:7               responder\n");
}

TEST_F(Threads, TheWaitGroupAloneHasAnOrderOfItsOwn) {
  const std::string table = format_table(read(), {.wait = true});
  EXPECT_TRUE(table.starts_with(
      "CPU   PID   TIMEOUT      RWA        STAT    WCHAN                 NAME\n"));
}

TEST_F(Threads, TitlesAreAsWideAsCells) {
  for (const Groups groups : {Groups{.policy = true}, Groups{.state = true}, Groups{.times = true},
                              Groups{.wait = true}, Groups::everything()}) {
    const std::string table = format_table(read(), groups);
    const auto lines = split(table, '\n');
    EXPECT_EQ(lines[0].find("NAME"), lines[1].find("responder"));
  }
}

TEST_F(Threads, SortKeys) {
  const auto first = [&](const char* letters) {
    auto rows = read();
    sort_rows(&rows, *Order::parse(letters));
    return rows[0].name;
  };
  EXPECT_EQ(first(""), "watcher");
  EXPECT_EQ(first("r"), "responder");
  for (const char* const key : {"c", "i", "t", "x"}) EXPECT_EQ(first(key), "responder") << key;
  EXPECT_EQ(first("w"), "watcher");
  EXPECT_EQ(first("wc"), "responder") << "the last key wins";
  EXPECT_EQ(first("cr"), "watcher");
  EXPECT_FALSE(Order::parse("q"));
}

TEST(ThreadState, LabelsFollowTheBits) {
  EXPECT_EQ(state_labels(0x1 | 0x10 | EVL_T_USER), "SR");
  EXPECT_EQ(state_labels(EVL_T_PEND), "W");
  EXPECT_EQ(state_labels(EVL_T_PEND | EVL_T_DELAY), "w") << "a timed wait is one letter";
  EXPECT_EQ(state_labels(EVL_T_DELAY), "D");
  EXPECT_EQ(state_labels(EVL_T_INBAND | EVL_T_WOSS | EVL_T_PTRACE | EVL_T_OBSERV), "XtTo");
  EXPECT_EQ(state_labels(EVL_T_WOSO | EVL_T_HMSIG), "");
}

TEST(ThreadTimes, LeadingZeroPartsAreLeftOut) {
  EXPECT_EQ(format_timeout(0), "-");
  EXPECT_EQ(format_timeout(999), "-");
  EXPECT_EQ(format_timeout(7'000), "7");
  EXPECT_EQ(format_timeout(2'003'000), "2.003");
  EXPECT_EQ(format_timeout(61'002'003'000), "61:002.003");
  EXPECT_EQ(format_cpu_time(1'002'003'999), "    1:002.003");
}

}  // namespace

}  // namespace utils
