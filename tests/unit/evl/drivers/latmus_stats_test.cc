// SPDX-License-Identifier: MIT
// The figures of the latmus driver: worked examples, then a naive model.
#include "drivers/latmus_stats.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace evl {
namespace {

// Gravity of the meters below: 9 us, so that 10 us is the earliest that an answer may be.
constexpr s64 kPeriod = 1'000'000;
using Event = LatencyMeter::Event;

LatencyMeter make(u32 window, u32 skipped, std::span<s32> cells = {}) {
  LatencyMeter meter{
      {.period = Duration::ns(kPeriod), .window = window, .skipped = skipped, .cells = cells}};
  meter.start(Date::from_ns(0), Duration::us(9));
  return meter;
}

TEST(LatencyMeter, MeasuresAgainstTheDateThatWasDue) {
  LatencyMeter meter = make(3, 0);
  EXPECT_EQ(meter.add(Date::from_ns(700)), Event::peak);
  EXPECT_EQ(meter.add(Date::from_ns(kPeriod + 300)), Event::none);
  EXPECT_EQ(meter.add(Date::from_ns(2 * kPeriod - 100)), Event::window);
  EXPECT_EQ(meter.window().min_lat, -100);
  EXPECT_EQ(meter.window().max_lat, 700);
  EXPECT_EQ(meter.window().sum_lat, 900);
  EXPECT_EQ(meter.window().overruns, 0U);
  EXPECT_EQ(meter.ideal().ns(), 3 * kPeriod);
}

TEST(LatencyMeter, CountsPeriodsThatWentBy) {
  LatencyMeter meter = make(10, 0);
  (void)meter.add(Date::from_ns(kPeriod));  // Late by one period: that is no overrun yet.
  EXPECT_EQ(meter.window().overruns, 0U);
  (void)meter.add(Date::from_ns(kPeriod + 2 * kPeriod + kPeriod / 2));
  EXPECT_EQ(meter.window().overruns, 2U);
  EXPECT_EQ(meter.ideal().ns(), 4 * kPeriod);
  EXPECT_EQ(meter.window().max_lat, 2 * kPeriod + kPeriod / 2);
}

TEST(LatencyMeter, AShotThatWasServedAfterAllIsNoOverrun) {
  LatencyMeter meter = make(10, 0);
  // So late that the next shot comes before the date is read, and is answered at once.
  (void)meter.add(Date::from_ns(kPeriod + 400));
  EXPECT_EQ(meter.window().overruns, 1U);
  (void)meter.add(Date::from_ns(kPeriod + 700));
  EXPECT_EQ(meter.window().overruns, 0U);
  EXPECT_EQ(meter.window().min_lat, 700);
  EXPECT_EQ(meter.window().max_lat, kPeriod + 400);
  EXPECT_EQ(meter.ideal().ns(), 2 * kPeriod);
}

TEST(LatencyMeter, NoAnswerIsEarlierThanGravityExplains) {
  LatencyMeter meter = make(10, 0);
  (void)meter.add(Date::from_ns(kPeriod + kPeriod * 6 / 10));  // Stands for two shots.
  (void)meter.add(Date::from_ns(kPeriod + kPeriod * 7 / 10));  // The second one, after all.
  EXPECT_EQ(meter.window().overruns, 0U);
  EXPECT_EQ(meter.window().min_lat, kPeriod * 7 / 10);
  (void)meter.add(Date::from_ns(2 * kPeriod - 9'999));
  EXPECT_EQ(meter.window().min_lat, -9'999);
  EXPECT_EQ(meter.ideal().ns(), 3 * kPeriod);
}

TEST(LatencyMeter, SkipsTheFirstSamplesButFollowsThem) {
  LatencyMeter meter = make(1, 2);
  EXPECT_EQ(meter.add(Date::from_ns(900'000)), Event::none);
  EXPECT_EQ(meter.add(Date::from_ns(kPeriod + 900'000)), Event::none);
  EXPECT_EQ(meter.add(Date::from_ns(2 * kPeriod + 5)), Event::window_peak);
  EXPECT_EQ(meter.window().samples, 1U);
  EXPECT_EQ(meter.window().max_lat, 5);
}

TEST(LatencyMeter, HistogramTakesTheAbsoluteValueAndTheRestInTheLastCell) {
  std::vector<s32> cells(4);
  LatencyMeter meter = make(100, 0, cells);
  const s64 late[] = {0, 999, 1'000, -1'500, 3'000, 900'000};
  for (s64 i = 0; i < 6; ++i) (void)meter.add(Date::from_ns(i * kPeriod + late[i]));
  EXPECT_EQ(cells, (std::vector<s32>{2, 2, 0, 2}));
}

TEST(LatencyMeter, CellsAreAsWideAsTheSetupSays) {
  std::vector<s32> cells(3);
  LatencyMeter meter{{.period = Duration::ns(kPeriod),
                      .window = 100,
                      .skipped = 0,
                      .cells = cells,
                      .cell_ns = 50}};
  meter.start(Date{}, Duration::us(9));
  const s64 late[] = {0, 49, 50, -99, 100, 149, 150, 7'000};
  for (s64 i = 0; i < 8; ++i) (void)meter.add(Date::from_ns(i * kPeriod + late[i]));
  EXPECT_EQ(cells, (std::vector<s32>{2, 2, 4}));
}

TEST(LatencyMeter, AnEmptyWindowHasNoMean) {
  LatencyMeter meter = make(1, 0);
  EXPECT_EQ(meter.mean(), 0);
  EXPECT_EQ(meter.deviation(), 0);
}

TEST(LatencyMeter, AgreesWithANaiveModel) {
  std::mt19937 random{4711};
  for (int round = 0; round < 200; ++round) {
    const u32 count = 2 + random() % 500;
    LatencyMeter meter = make(count, 0);
    std::vector<double> values;
    double positive = 0;
    for (u32 i = 0; i < count; ++i) {
      const s64 late = static_cast<s64>(random() % 60'000) - 9'000;
      values.push_back(static_cast<double>(late));
      positive += late > 0 ? static_cast<double>(late) : 0;
      const Event event = meter.add(Date::from_ns(i * kPeriod + late));
      EXPECT_EQ(event == Event::window || event == Event::window_peak, i + 1 == count);
    }
    double sum = 0;
    for (const double value : values) sum += value;
    const double mean = sum / count;
    double squares = 0;
    for (const double value : values) squares += (value - mean) * (value - mean);
    EXPECT_EQ(meter.window().min_lat, *std::min_element(values.begin(), values.end()));
    EXPECT_EQ(meter.window().max_lat, *std::max_element(values.begin(), values.end()));
    EXPECT_EQ(meter.window().sum_lat, sum);
    EXPECT_NEAR(meter.mean(), positive / count, 1);
    // The running mean is an integer: it drifts by less than one per sample.
    EXPECT_NEAR(meter.deviation(), std::sqrt(squares / (count - 1)), 60) << "round " << round;
  }
}

TEST(GravityTuner, WarmsUpWithoutGravity) {
  GravityTuner tuner;
  for (unsigned step = 0; step < GravityTuner::kWarmUpSteps; ++step) {
    EXPECT_EQ(tuner.gravity_ns(), 0);
    EXPECT_TRUE(tuner.take(5'000, 100, 1'800).value());
  }
  EXPECT_EQ(tuner.gravity_ns(), 0);
}

TEST(GravityTuner, StopsAtTheLimitAndTakesTheBestStep) {
  GravityTuner tuner;
  for (unsigned step = 0; step < GravityTuner::kWarmUpSteps; ++step)
    (void)tuner.take(5'000, 100, 1'800);
  EXPECT_TRUE(tuner.take(5'000, 100, 1'800).value());  // 0 ns
  EXPECT_TRUE(tuner.take(4'500, 100, 1'300).value());  // 500 ns
  EXPECT_TRUE(tuner.take(4'000, 100, 800).value());    // 1000 ns
  EXPECT_FALSE(tuner.take(3'500, 100, 300).value());   // 1500 ns; 2000 is above 1800
  EXPECT_EQ(tuner.steps(), 4U);
  EXPECT_EQ(tuner.best_ns(), 1'500);
}

TEST(GravityTuner, AnEarlyAnswerEndsTheSearch) {
  GravityTuner tuner;
  for (unsigned step = 0; step < GravityTuner::kWarmUpSteps; ++step)
    (void)tuner.take(5'000, 100, 10'000);
  EXPECT_TRUE(tuner.take(5'000, 100, 900).value());
  EXPECT_TRUE(tuner.take(4'500, 100, 400).value());
  EXPECT_FALSE(tuner.take(4'000, 100, -100).value());
  EXPECT_EQ(tuner.best_ns(), 500);
}

TEST(GravityTuner, AnAnswerEarlierThanGravityExplainsIsAnError) {
  GravityTuner tuner;
  for (unsigned step = 0; step < GravityTuner::kWarmUpSteps; ++step)
    (void)tuner.take(5'000, 100, 10'000);
  EXPECT_TRUE(tuner.take(5'000, 100, 900).value());
  EXPECT_TRUE(tuner.take(5'000, 100, -501).is(Errno::again));
}

TEST(GravityTuner, NeverTakesMoreThanItsSteps) {
  GravityTuner tuner;
  unsigned steps = 0;
  while (tuner.take(1'000'000, 1, 1'000'000).value()) ++steps;
  EXPECT_EQ(steps + 1, GravityTuner::kWarmUpSteps + GravityTuner::kSteps);
}

}  // namespace
}  // namespace evl
