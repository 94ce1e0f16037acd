// SPDX-License-Identifier: MIT

#include "latmus/samples.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "latmus/context.h"
#include "latmus/gpio_monitor.h"

namespace utils::latmus {
namespace {

constexpr int64_t kMs = 1'000'000;

TEST(Histogram, CountsAbsoluteValuesAndTheLastCellTakesTheRest) {
  Histogram histogram{4, 1000};
  for (const int64_t latency : {0, 999, 1000, -1500, 3999, 4000, 1'000'000}) histogram.add(latency);
  EXPECT_EQ(histogram.count(0), 2U);
  EXPECT_EQ(histogram.count(1), 2U);
  EXPECT_EQ(histogram.count(2), 0U);
  EXPECT_EQ(histogram.count(3), 3U);
  EXPECT_EQ(histogram.total(), 7U);
  EXPECT_EQ(histogram.first(), 0U);
  EXPECT_EQ(histogram.last(), 3U);
}

TEST(Histogram, OverflowIsTheLastCellHoldingMoreThanItsOwn) {
  Histogram histogram{4, 1000};
  histogram.add(3999);
  EXPECT_FALSE(histogram.overflowed(3999));
  histogram.add(4000);
  EXPECT_TRUE(histogram.overflowed(4000));
}

TEST(Histogram, IsEmptyWithoutSamples) {
  const Histogram histogram{10, 50};
  EXPECT_EQ(histogram.first(), std::nullopt);
  EXPECT_EQ(histogram.last(), std::nullopt);
  EXPECT_EQ(histogram.quantile_ns(0.99, 0), 0);
}

TEST(Histogram, QuantilesAgreeWithSortedSamples) {
  std::mt19937 random{1};
  std::vector<int64_t> samples(5000);
  Histogram histogram{1000, 10};
  for (int64_t& sample : samples) {
    sample = std::uniform_int_distribution<int64_t>{0, 9000}(random);
    histogram.add(sample);
  }
  std::sort(samples.begin(), samples.end());
  for (const double share : {0.5, 0.9, 0.99, 0.999}) {
    const int64_t exact = samples[static_cast<size_t>(share * 5000) - 1];
    const int64_t estimate = histogram.quantile_ns(share, samples.back());
    EXPECT_GE(estimate, exact) << share;
    EXPECT_LE(estimate, exact + 10) << share;
  }
  EXPECT_EQ(histogram.quantile_ns(1.0, samples.back()), samples.back());
}

TEST(Histogram, AQuantileInTheOpenCellIsTheMaximum) {
  Histogram histogram{2, 1000};
  histogram.add(10);
  histogram.add(50'000);
  EXPECT_EQ(histogram.quantile_ns(0.5, 50'000), 1000);
  EXPECT_EQ(histogram.quantile_ns(0.99, 50'000), 50'000);
}

TEST(Summary, AddsUpAndKnowsTheSecondOfThePeak) {
  Summary summary;
  EXPECT_TRUE(summary.empty());
  summary.add({.sum_lat = 300, .min_lat = 50, .max_lat = 200, .overruns = 1, .samples = 3});
  summary.add({.sum_lat = 900, .min_lat = -10, .max_lat = 700, .overruns = 2, .samples = 3});
  summary.add(
      {.sum_lat = 0, .min_lat = INT32_MAX, .max_lat = INT32_MIN, .overruns = 4, .samples = 0});
  summary.add({.sum_lat = 700, .min_lat = 700, .max_lat = 700, .overruns = 0, .samples = 1});
  EXPECT_EQ(summary.samples(), 7);
  EXPECT_EQ(summary.min_ns(), -10);
  EXPECT_EQ(summary.max_ns(), 700);
  EXPECT_EQ(summary.overruns(), 7);
  EXPECT_DOUBLE_EQ(summary.avg_ns(), 1900.0 / 7);
  EXPECT_EQ(summary.peak_second(), 2) << "the first of equal maxima";
}

TEST(Record, IsInconsistentIfTheAverageIsOutside) {
  EXPECT_TRUE(
      consistent({.sum_lat = 30, .min_lat = 10, .max_lat = 10, .overruns = 0, .samples = 3}));
  EXPECT_FALSE(
      consistent({.sum_lat = 29, .min_lat = 10, .max_lat = 12, .overruns = 0, .samples = 3}));
  EXPECT_FALSE(
      consistent({.sum_lat = 37, .min_lat = 10, .max_lat = 12, .overruns = 0, .samples = 3}));
  EXPECT_TRUE(consistent(empty_record()));
}

TEST(ResponseMeter, DropsTheFirstSecondAndGivesARecordPerSecond) {
  Histogram histogram{100, 1000};
  ResponseMeter meter{100 * kMs, 0, &histogram};  // Ten samples a second.
  int records = 0;
  for (int sample = 0; sample < 30; ++sample) {
    const auto record = meter.sample(meter.ideal_ns() + 1000 + sample);
    if (!record) continue;
    ++records;
    EXPECT_EQ(sample, records == 1 ? 19 : 29);
    EXPECT_EQ(record->samples, 10U);
    EXPECT_EQ(record->min_lat, records == 1 ? 1010 : 1020);
    EXPECT_EQ(record->max_lat, records == 1 ? 1019 : 1029);
  }
  EXPECT_EQ(records, 2);
  EXPECT_EQ(histogram.total(), 20U);
  EXPECT_EQ(meter.partial().samples, 0U);
}

TEST(ResponseMeter, LostPeriodsAreOverrunsAndAreNotCaughtUpWith) {
  Histogram histogram{100, 1000};
  ResponseMeter meter{kMs, 0, &histogram};
  while (meter.warming_up()) (void)meter.sample(meter.ideal_ns());
  const int64_t date = meter.ideal_ns();
  (void)meter.sample(date + 3 * kMs + 500'000);
  EXPECT_EQ(meter.last_latency_ns(), 3 * kMs + 500'000);
  EXPECT_EQ(meter.partial().overruns, 3U);
  EXPECT_EQ(meter.ideal_ns(), date + 4 * kMs) << "the next date that is not over";
  (void)meter.sample(meter.ideal_ns() + kMs);
  EXPECT_EQ(meter.partial().overruns, 3U) << "late by exactly one period is no overrun";
}

// Goal: the closed form of the driver's rule. Method: the loop, as the reference words it.
TEST(ResponseMeter, AgreesWithTheLoopOfTheReference) {
  std::mt19937 random{7};
  Histogram histogram{10, 1000};
  ResponseMeter meter{kMs, 0, &histogram};
  while (meter.warming_up()) (void)meter.sample(meter.ideal_ns());
  int64_t ideal = meter.ideal_ns();
  uint32_t overruns = 0;
  for (int sample = 0; sample < 900; ++sample) {
    const int64_t now = ideal + std::uniform_int_distribution<int64_t>{-kMs / 2, 4 * kMs}(random);
    int64_t latency = now - ideal;
    ideal += kMs;
    while (latency > kMs) {
      ++overruns;
      ideal += kMs;
      latency -= kMs;
    }
    ASSERT_FALSE(meter.sample(now));
    ASSERT_EQ(meter.ideal_ns(), ideal) << "sample " << sample;
  }
  EXPECT_EQ(meter.partial().overruns, overruns);
}

TEST(Cpu, AnIsolatedCpuOfTheCoreIsBest) {
  const CpuOffer offer{.online = {0, 1, 2, 3}, .oob = {1, 2}, .isolated = {2, 3}, .current = 0};
  EXPECT_EQ(choose_cpu(Context::user, {}, false, offer)->cpu, 2);
  EXPECT_TRUE(choose_cpu(Context::user, {}, false, offer)->isolated);
  EXPECT_EQ(choose_cpu(Context::fifo, {}, false, offer)->cpu, 2);
  EXPECT_EQ(choose_cpu(Context::user, {}, false,
                       {.online = {0, 1}, .oob = {1}, .isolated = {}, .current = 0})
                ->cpu,
            1);
  EXPECT_EQ(choose_cpu(Context::fifo, {}, false,
                       {.online = {0, 1}, .oob = {1}, .isolated = {}, .current = 0})
                ->cpu,
            0);
}

TEST(Cpu, OneThatTheCoreDoesNotHaveIsReplacedUnlessForced) {
  const CpuOffer offer{.online = {0, 1, 2, 3}, .oob = {1, 2}, .isolated = {2}, .current = 0};
  const auto replaced = choose_cpu(Context::user, 0, false, offer);
  EXPECT_EQ(replaced->cpu, 2);
  EXPECT_NE(replaced->note, "");
  EXPECT_EQ(choose_cpu(Context::user, 0, true, offer)->cpu, 0);
  EXPECT_EQ(choose_cpu(Context::fifo, 0, false, offer)->cpu, 0);
  EXPECT_FALSE(choose_cpu(Context::user, 9, false, offer));
}

TEST(Monitor, RequestsAndRecordsAreBigEndian) {
  const auto request = monitor_request(1000, 200);
  const std::array<std::byte, 8> expected{std::byte{0}, std::byte{0}, std::byte{3}, std::byte{0xe8},
                                          std::byte{0}, std::byte{0}, std::byte{0}, std::byte{200}};
  EXPECT_EQ(request, expected);
  std::array<std::byte, kMonitorRecordBytes> bytes{};
  bytes[3] = std::byte{1};  // 2^32 in the sum.
  bytes[7] = std::byte{2};
  for (int at = 8; at < 12; ++at) bytes[static_cast<size_t>(at)] = std::byte{0xff};
  bytes[15] = std::byte{9};
  bytes[23] = std::byte{3};
  const Record record = monitor_record(bytes);
  EXPECT_EQ(record.sum_lat, (int64_t{1} << 32) + 2);
  EXPECT_EQ(record.min_lat, -1);
  EXPECT_EQ(record.max_lat, 9);
  EXPECT_EQ(record.samples, 3U);
  EXPECT_FALSE(ends_records(record));
  EXPECT_TRUE(ends_records(Record{}));
}

TEST(Monitor, AddressesHaveAPortOrNot) {
  EXPECT_EQ(MonitorAddress::parse("10.0.0.1")->port, 2306);
  EXPECT_EQ(MonitorAddress::parse("board:99")->host, "board");
  EXPECT_EQ(MonitorAddress::parse("board:99")->port, 99);
  EXPECT_EQ(MonitorAddress::parse("[::1]:99")->host, "::1");
  for (const char* const text : {"", ":1", "a:", "a:0", "a:99999", "[::1", "[::1]x"}) {
    EXPECT_FALSE(MonitorAddress::parse(text)) << text;
  }
}

}  // namespace
}  // namespace utils::latmus
