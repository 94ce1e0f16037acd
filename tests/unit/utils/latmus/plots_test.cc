// SPDX-License-Identifier: MIT

#include "latmus/plots.h"

#include <gtest/gtest.h>

#include <cmath>

#include "../fake_system.h"
#include "common/text.h"
#include "latmus/axis.h"

namespace utils::latmus {
namespace {

using OneRun = Run;  // Inside of a test, Run is a function of GoogleTest.

OneRun make_run(Context context, std::initializer_list<int32_t> latencies, uint32_t cells = 10) {
  OneRun run;
  run.context = context;
  run.cpu = 1;
  run.priority = 98;
  run.period_ns = 1'000'000;
  run.requested_s = 3;
  run.duration_s = 3;
  run.histogram = Histogram{cells, 1000};
  for (const int32_t latency : latencies) {
    run.histogram.add(latency);
    run.add(
        {.sum_lat = latency, .min_lat = latency, .max_lat = latency, .overruns = 0, .samples = 1});
  }
  return run;
}

Report make_report(std::initializer_list<OneRun> runs) {
  Report report;
  report.environment = {.kernel = "6.12 <test>",
                        .command_line = "quiet",
                        .library = "evl.0",
                        .gravity = "0i 0k 0u",
                        .clocksource = "tsc",
                        .vdso_access = "architected",
                        .load_average = "1 2 3"};
  report.command = "latmus -u";
  report.runs = runs;
  return report;
}

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// Each element that is opened is closed, in order. Enough of XML for what we write.
bool well_formed(const std::string& xml) {
  std::vector<std::string> open;
  for (size_t at = xml.find('<'); at != std::string::npos; at = xml.find('<', at + 1)) {
    const size_t end = xml.find('>', at);
    if (end == std::string::npos) return false;
    const std::string tag = xml.substr(at + 1, end - at - 1);
    if (tag.ends_with('/') || tag.starts_with('!')) continue;
    if (!tag.starts_with('/')) {
      open.push_back(tag.substr(0, tag.find_first_of(" \n")));
    } else if (open.empty() || open.back() != tag.substr(1)) {
      return false;
    } else {
      open.pop_back();
    }
  }
  return open.empty();
}

TEST(LatmusLines, HaveTheDocumentedForm) {
  const OneRun run = make_run(Context::user, {1762, 1816, 1779});
  EXPECT_EQ(title_line(run, 2),
            "RTT|  00:00:02  (user, 1000 us period, priority 98, CPU1-noisol)\n");
  EXPECT_EQ(data_line(run, run.seconds.back()),
            "RTD|      1.779|      1.779|      1.779|       0|     0|      1.762|      1.816\n");
  EXPECT_TRUE(summary_lines(run).ends_with(
      "RTS|      1.762|      1.786|      1.816|       0|     0|    00:00:03/00:00:03\n"));
  EXPECT_EQ(split(header_line(), '|').size(),
            split(data_line(run, run.seconds.back()), '|').size());
  EXPECT_EQ(header_line().size(), data_line(run, run.seconds.back()).size());
}

TEST(LatmusLines, HandlersHaveNoPriority) {
  OneRun run = make_run(Context::irq, {500});
  run.isolated = true;
  EXPECT_EQ(describe(run), "irq, 1000 us period, CPU1");
}

TEST(LatmusLines, WithoutSamplesThereAreNoFigures) {
  const OneRun run = make_run(Context::user, {});
  EXPECT_TRUE(summary_lines(run).ends_with("RTS|no sample\n"));
  EXPECT_NE(final_table(make_report({run})).find("no sample"), std::string::npos);
}

TEST(Gnuplot, ListsCellsFromTheFirstToTheLast) {
  const OneRun run = make_run(Context::user, {2100, 2200, 4300, -2500});
  const std::string text = gnuplot_text(make_report({run}), run);
  EXPECT_TRUE(text.ends_with("# sample count: 4\n2 3\n3 0\n4 1\n"));
  EXPECT_NE(text.find("\n# context: user\n"), std::string::npos);
  EXPECT_NE(text.find("\n# min latency: -2.500\n"), std::string::npos);
  EXPECT_EQ(text.find("OVERRUNS"), std::string::npos);
  EXPECT_EQ(text.find("cell width"), std::string::npos);
}

TEST(Gnuplot, MarksTheLastCellIfItTookMore) {
  OneRun run = make_run(Context::irq, {9500, 20'000});
  run.inband_switches = 2;
  const std::string text = gnuplot_text(make_report({run}), run);
  EXPECT_TRUE(text.ends_with("\n9+ 2\n"));
  EXPECT_NE(text.find("# IN-BAND SWITCHES: 2\n"), std::string::npos);
  EXPECT_EQ(text.find("thread priority"), std::string::npos);
  const OneRun empty = make_run(Context::user, {});
  EXPECT_EQ(gnuplot_text(make_report({empty}), empty), "");
}

TEST(TerminalChart, PutsCellsTogether) {
  OneRun run = make_run(Context::user, {}, 1000);
  for (int cell = 0; cell < 100; ++cell) {
    for (int sample = 0; sample <= cell; ++sample) run.histogram.add(cell * 1000);
  }
  run.add({.sum_lat = 0, .min_lat = 0, .max_lat = 99'000, .overruns = 0, .samples = 5050});
  const auto lines = split(terminal_chart(run, 10, 40), '\n');
  EXPECT_EQ(lines.size(), 1U + 10 + 1);
  EXPECT_EQ(count(std::string{lines[10]}, "#"), 40U) << "the fullest one is as wide as it gets";
  EXPECT_TRUE(lines[10].ends_with(" 955"));
}

TEST(TerminalChart, OneSampleIsSeen) {
  OneRun run = make_run(Context::user, {1000, 3000});
  for (int sample = 0; sample < 1'000'000; ++sample) run.histogram.add(3000);
  const auto lines = split(terminal_chart(run, 24, 60), '\n');
  EXPECT_NE(lines[1].find("# 1"), std::string::npos);
  EXPECT_NE(lines[2].find("|0"), std::string::npos);
}

TEST(Svg, IsWellFormedWhateverWasMeasured) {
  for (const Report& report : {make_report({}), make_report({make_run(Context::user, {})}),
                               make_report({make_run(Context::user, {-5})}),
                               make_report({make_run(Context::user, {0, 0})}),
                               make_report({make_run(Context::user, {1000, 90'000'000}),
                                            make_run(Context::fifo, {5000})})}) {
    const std::string svg = svg_text(report);
    EXPECT_TRUE(well_formed(svg));
    EXPECT_EQ(svg.find("nan"), std::string::npos);
    EXPECT_EQ(svg.find("inf"), std::string::npos);
  }
}

TEST(Svg, HasAnOutlineAndALinePerRun) {
  const Report report =
      make_report({make_run(Context::user, {1000, 2000}), make_run(Context::fifo, {5000, 7000})});
  const std::string svg = svg_text(report);
  EXPECT_EQ(count(svg, "<path class=\"cells\""), 2U);
  EXPECT_EQ(count(svg, "<polyline"), 2U);
  EXPECT_EQ(count(svg, "<circle"), 4U) << "one per second";
  EXPECT_EQ(svg.find("and above"), std::string::npos);
}

TEST(Html, IsOnePageThatLoadsNothingAndEscapesWhatItShows) {
  Report report = make_report({make_run(Context::user, {1000, 200'000})});
  report.load = "<script>alert(1)</script>";
  const std::string page = html_text(report);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  for (const char* const loading : {"src=", "href=", "@import", "url("}) {
    EXPECT_EQ(page.find(loading), std::string::npos) << loading;
  }
  EXPECT_NE(page.find("6.12 &lt;test&gt;"), std::string::npos);
  EXPECT_NE(page.find("and above"), std::string::npos);
  EXPECT_NE(page.find("<svg"), std::string::npos);
}

TEST(JsonReport, HasTheFigures) {
  const std::string json =
      json_text(make_report({make_run(Context::irq, {500, 700}), make_run(Context::user, {})}));
  for (const char* const part : {"\"context\":\"irq\"", "\"priority\":null", "\"min_ns\":500",
                                 "\"avg_ns\":600", "\"max_ns\":700", "\"counts\":[2]",
                                 "\"samples\":0", "\"peak_s\":2", "\"gravity\":\"0i 0k 0u\""}) {
    EXPECT_NE(json.find(part), std::string::npos) << part;
  }
}

TEST(Environment, ComesFromTheSystem) {
  FakeSystem fake;
  fake.put("/proc/cmdline", "quiet nokaslr");
  fake.put("/proc/loadavg", "0.50 0.25 0.10 1/200 4711");
  fake.put("/sys/devices/virtual/clock/monotonic/gravity", "100i 200k 300u");
  const Environment environment = Environment::of(fake.system());
  EXPECT_EQ(environment.command_line, "quiet nokaslr");
  EXPECT_EQ(environment.load_average, "0.50 0.25 0.10");
  EXPECT_EQ(environment.gravity, "100i 200k 300u");
  EXPECT_EQ(environment.clocksource, "");
}

TEST(Axis, TicksAreRoundAndInside) {
  for (const double high : {0.013, 1.0, 7.0, 42.0, 199.0, 12345.0}) {
    const Axis axis{Axis::Scale::linear, 0, high, 0, 100};
    const auto ticks = axis.ticks(10);
    EXPECT_GE(ticks.size(), 4U) << high;
    EXPECT_LE(ticks.size(), 12U) << high;
    for (const Tick& tick : ticks) EXPECT_LE(tick.value, high * (1 + 1e-9));
  }
  const Axis powers{Axis::Scale::logarithmic, 0.7, 1300, 0, 100};
  ASSERT_EQ(powers.ticks(5).size(), 4U);
  EXPECT_EQ(powers.ticks(5)[0].label, "1");
  EXPECT_EQ(powers.ticks(5)[3].label, "1000");
}

TEST(Axis, MapsEndsToEnds) {
  const Axis axis{Axis::Scale::logarithmic, 1, 100, 200, 0};
  EXPECT_DOUBLE_EQ(axis.at(1), 200);
  EXPECT_NEAR(axis.at(10), 100, 1e-9);
  EXPECT_DOUBLE_EQ(axis.at(1e6), 0);
  const Axis point{Axis::Scale::linear, 5, 5, 0, 10};
  EXPECT_TRUE(std::isfinite(point.at(5)));
}

}  // namespace
}  // namespace utils::latmus
