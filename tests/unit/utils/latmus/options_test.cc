// SPDX-License-Identifier: MIT

#include "latmus/options.h"

#include <gtest/gtest.h>

#include <vector>

#include "common/text.h"

namespace utils::latmus {
namespace {

struct Outcome {
  Parsed parsed;
  Options options;
  std::string error;
};

Outcome parse(const std::string& line) {
  Outcome outcome{};
  std::vector<std::string> texts{"latmus"};
  for (const auto word : words(line)) texts.emplace_back(word);
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  arguments.push_back(nullptr);
  outcome.parsed = parse_options(static_cast<int>(texts.size()), arguments.data(), &outcome.options,
                                 &outcome.error);
  return outcome;
}

using Contexts = std::vector<Context>;

TEST(LatmusOptions, Defaults) {
  const auto [parsed, options, error] = parse("");
  EXPECT_EQ(parsed, Parsed::run);
  EXPECT_EQ(options.contexts, Contexts{Context::user});
  EXPECT_EQ(options.period_ns, 1'000'000);
  EXPECT_EQ(options.priority, 98);
  EXPECT_EQ(options.cells, 200U);
  EXPECT_EQ(options.cell_ns, 1000U);
  EXPECT_EQ(options.lines, 21);
  EXPECT_EQ(options.verbosity, 1);
}

TEST(LatmusOptions, SeveralContextsKeepTheirOrder) {
  EXPECT_EQ(parse("-u -k -i -u -f -T10").options.contexts,
            (Contexts{Context::user, Context::kernel, Context::irq, Context::fifo}));
  EXPECT_EQ(parse("-u -k").parsed, Parsed::wrong_use) << "they would never get to the second";
}

TEST(LatmusOptions, ShortAndLongFormsAgree) {
  const Options brief =
      parse("-k -p250 -P90 -c2 -A100 -T15m -l0 -H500 -w50 -gx.plot -v2 -K -r").options;
  const Options wordy =
      parse(
          "--kernel --period=250 --priority=90 --cpu=2 --maxlat-abort=100 --timeout=15m --lines=0 "
          "--histogram=500 --cell-width=50 --plot=x.plot --verbose=2 --keep-going --reset")
          .options;
  for (const Options* const options : {&brief, &wordy}) {
    EXPECT_EQ(options->contexts, Contexts{Context::kernel});
    EXPECT_EQ(options->period_ns, 250'000);
    EXPECT_EQ(options->priority, 90);
    EXPECT_EQ(options->cpu, 2);
    EXPECT_EQ(options->limit_ns, 100'000);
    EXPECT_EQ(options->timeout_s, 900);
    EXPECT_EQ(options->lines, 0);
    EXPECT_EQ(options->cells, 500U);
    EXPECT_EQ(options->cell_ns, 50U);
    EXPECT_EQ(options->plot, "x.plot");
    EXPECT_EQ(options->verbosity, 2);
    EXPECT_TRUE(options->keep_going && options->reset);
  }
}

TEST(LatmusOptions, RangesAreChecked) {
  for (const char* const line :
       {"-p0", "-p1000001", "-P0", "-P100", "-H0", "-H1001", "-w0", "-A0", "-T0", "-T5x", "-T",
        "-v3", "-c-1", "-cx", "-l-1", "--nothing", "word"}) {
    const Outcome outcome = parse(line);
    EXPECT_EQ(outcome.parsed, Parsed::wrong_use) << line;
    EXPECT_NE(outcome.error, "") << line;
  }
}

TEST(LatmusOptions, TuningTakesThoseWithAGravity) {
  EXPECT_EQ(parse("-t").options.contexts, (Contexts{Context::irq, Context::kernel, Context::user}));
  EXPECT_EQ(parse("-t -k").options.contexts, Contexts{Context::kernel});
  EXPECT_EQ(parse("-t -q").parsed, Parsed::run);
  EXPECT_FALSE(parse("-t -g").options.plot) << "there is nothing to plot";
  for (const char* const line : {"-t -s", "-t -f", "-t -Zhost -Ia,1 -Oa,2"}) {
    EXPECT_EQ(parse(line).parsed, Parsed::wrong_use) << line;
  }
}

TEST(LatmusOptions, AQuietRunNeedsAnEnd) {
  EXPECT_EQ(parse("-q").parsed, Parsed::wrong_use);
  EXPECT_EQ(parse("-b").parsed, Parsed::wrong_use);
  EXPECT_TRUE(parse("-q -T5").options.quiet());
  EXPECT_TRUE(parse("-b -T5").options.quiet());
}

TEST(LatmusOptions, OneUserOfStdout) {
  EXPECT_EQ(parse("-g --json").parsed, Parsed::wrong_use);
  EXPECT_EQ(parse("-gfile --json").parsed, Parsed::run);
  EXPECT_EQ(parse("-g").options.plot, "-");
}

TEST(LatmusOptions, GpioNeedsBothLinesAndStandsAlone) {
  const Outcome outcome = parse("-zboard -I gpiochip0,23,falling-edge -O /dev/gpiochip1,24");
  ASSERT_EQ(outcome.parsed, Parsed::run);
  EXPECT_EQ(outcome.options.gpio_in->chip, "/dev/gpiochip0");
  EXPECT_EQ(outcome.options.gpio_in->pin, 23);
  EXPECT_EQ(outcome.options.gpio_in->edge, Edge::falling);
  EXPECT_EQ(outcome.options.gpio_out->chip, "/dev/gpiochip1");
  EXPECT_EQ(outcome.options.gpio_out->edge, Edge::rising);
  EXPECT_EQ(parse("-zboard -Ic,1").parsed, Parsed::wrong_use);
  EXPECT_EQ(parse("-zboard -Ic,1 -Oc,2 -u -T1").parsed, Parsed::wrong_use);
  EXPECT_FALSE(GpioLine::parse("c"));
  EXPECT_FALSE(GpioLine::parse("c,x"));
  EXPECT_FALSE(GpioLine::parse(",1"));
  EXPECT_FALSE(GpioLine::parse("c,1,edge"));
}

TEST(LatmusOptions, Durations) {
  EXPECT_EQ(parse_duration("90"), 90);
  EXPECT_EQ(parse_duration("90s"), 90);
  EXPECT_EQ(parse_duration("24h"), 86400);
  EXPECT_EQ(parse_duration("2d"), 172800);
  EXPECT_FALSE(parse_duration(""));
  EXPECT_FALSE(parse_duration("h"));
  EXPECT_FALSE(parse_duration("-1"));
  EXPECT_FALSE(parse_duration("999999999d"));
}

TEST(LatmusOptions, HelpAndDescriptionWin) {
  EXPECT_EQ(parse("--help").parsed, Parsed::help);
  EXPECT_EQ(parse("-@").parsed, Parsed::describe);
}

}  // namespace
}  // namespace utils::latmus
