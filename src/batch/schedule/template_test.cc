#include "batch/schedule/template.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <string>

namespace slipway::batch {
namespace {

using ::testing::HasSubstr;

Schedule Nightly() {
  return *Schedule::Create("15 2 * * *", *TimeZone::Load("Europe/Berlin"));
}

std::string Filled(std::string_view text, std::string_view date = "2026-11-25T02:15") {
  const Schedule schedule = Nightly();
  const auto moment = ParseMoment(date, &schedule, Instant());
  if (!moment) return moment.error().Text();
  const auto filled = FillTemplate(text, *moment);
  return filled ? *filled : filled.error().message;
}

TEST(Template, FillsNamesWithTheTimeInTheZoneOfTheSchedule) {
  EXPECT_EQ(Filled("out/{{ ds }}/{{hour}}.csv"), "out/2026-11-25/02.csv");
  EXPECT_EQ(Filled("{{ ds_nodash }} {{ date }} {{ ts_nodash }}"), "20261125 2026-11-25 20261125T021500");
  EXPECT_EQ(Filled("{{ ts }}"), "2026-11-25T02:15:00+01:00");
  EXPECT_EQ(Filled("{{ data_interval_start }} {{ data_interval_end }}"),
            "2026-11-24T02:15:00+01:00 2026-11-25T02:15:00+01:00");
  EXPECT_EQ(Filled("{{ prev_ds }}"), "2026-11-24");
  EXPECT_EQ(Filled("no braces, {shard} and { }"), "no braces, {shard} and { }");
}

TEST(Template, MovesAndFormats) {
  EXPECT_EQ(Filled("{{ ds | offset: -1d }}"), "2026-11-24");
  EXPECT_EQ(Filled("{{ date | offset: +1w | format: %Y/%m/%d }}"), "2026/12/02");
  EXPECT_EQ(Filled("{{ ts | offset: -3h }}"), "2026-11-24T23:15:00+01:00");
  EXPECT_EQ(Filled("{{ date | offset(-1w) | format('%d.%m.') }}"), "18.11.");
  EXPECT_EQ(Filled("{{ date | format: '%j at %H:%M' }}"), "329 at 02:15");
}

TEST(Template, MovesByDaysOfTheCalendarWhereClocksArePutForward) {
  EXPECT_EQ(Filled("{{ ts | offset: 1d }}", "2026-03-28T12:00"), "2026-03-29T12:00:00+02:00");
  EXPECT_EQ(Filled("{{ ts | offset: 24h }}", "2026-03-28T12:00"), "2026-03-29T13:00:00+02:00");
}

TEST(Template, NamesTheNearestKnownNameAndFilter) {
  EXPECT_THAT(Filled("{{ ds_nodahs }}"), HasSubstr("did you mean \"ds_nodash\"?"));
  EXPECT_THAT(Filled("{{ today }}"), HasSubstr("known names: ds, ds_nodash, date, hour"));
  EXPECT_THAT(Filled("{{ ds | ofset: 1d }}"), HasSubstr("did you mean \"offset\"?"));
  EXPECT_THAT(Filled("{{ ds | offset: 1y }}"), HasSubstr("(s, m, h, d, w)"));
  EXPECT_THAT(Filled("{{ ds | offset: }}"), HasSubstr("such as -1d"));
  EXPECT_THAT(Filled("{{ ds | format: %Q }}"), HasSubstr("\"%Q\" has no meaning"));
  EXPECT_THAT(Filled("{{ ds | format: % }}"), HasSubstr("\"%\" has no meaning"));
  EXPECT_THAT(Filled("{{ ds"), HasSubstr("does not close it"));
  EXPECT_THAT(Filled("{{ }}"), HasSubstr("known names"));
}

TEST(Template, FillsEveryTextOfAJobAndNamesTheKeyOfAFault) {
  Job job{.model = "m", .input = {"in/{{ ds }}/*.csv", "b.csv"}, .output = "out-{{ hour }}.csv"};
  const Moment moment{.time = *ParseTime("2026-11-25T02:15Z", TimeZone::Utc()), .previous = std::nullopt};
  const auto filled = FillTemplates(job, moment);
  ASSERT_TRUE(filled) << filled.error().Text();
  EXPECT_THAT(filled->input, ::testing::ElementsAre("in/2026-11-25/*.csv", "b.csv"));
  EXPECT_EQ(filled->output, "out-02.csv");
  job.rejects = "{{ data_interval_start }}.csv";
  EXPECT_THAT(FillTemplates(job, moment).error().message, HasSubstr("`rejects`: {{ data_interval_start }}"));
}

TEST(Moment, IsNowTheLastTimeOrAsWritten) {
  const Schedule schedule = Nightly();
  const Instant now = *ParseTime("2026-11-26T01:14:59Z", TimeZone::Utc());
  const auto at = [&](std::string_view text) { return FormatUtc(ParseMoment(text, &schedule, now)->time); };
  EXPECT_EQ(at("now"), "2026-11-26T01:14:59Z");
  EXPECT_EQ(at("latest"), "2026-11-25T01:15:00Z");
  EXPECT_EQ(at("2026-11-25"), "2026-11-24T23:00:00Z");
  EXPECT_EQ(at("2026-11-25T02:15Z"), "2026-11-25T02:15:00Z");
  EXPECT_THAT(ParseMoment("yesterday", &schedule, now).error().message, HasSubstr("2026-11-25T02:15"));
  EXPECT_THAT(ParseMoment("latest", nullptr, now).error().message, HasSubstr("`schedule:`"));
}

TEST(Moment, IsInTheNameThatACronJobGives) {
  const Schedule schedule = Nightly();
  const Instant now = *ParseTime("2026-11-26T09:00:00Z", TimeZone::Utc());
  const auto at = [&] { return FormatUtc(ParseMoment("auto", &schedule, now)->time); };
  ::unsetenv("JOB_NAME");
  EXPECT_THAT(ParseMoment("auto", &schedule, now).error().message, HasSubstr("JOB_NAME"));
  ::setenv("JOB_NAME", "nightly-29922075", 1);
  EXPECT_EQ(at(), "2026-11-22T05:15:00Z");
  ::setenv("JOB_NAME", "by-hand-2", 1);
  EXPECT_EQ(at(), "2026-11-26T01:15:00Z");
  ::unsetenv("JOB_NAME");
}

}  // namespace
}  // namespace slipway::batch
