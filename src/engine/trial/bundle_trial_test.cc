#include "engine/trial/bundle_trial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "base/child_process.h"
#include "base/files.h"
#include "base/machine.h"
#include "base/shadowed_memory_test.h"
#include "engine/child/parcel.h"
#include "engine/onnx/onnx_engine.h"
#include "engine/onnx/tiny_model.h"

namespace slipway::engine {
namespace {

using namespace std::chrono_literals;
using onnx::TinyModel;
using testing::HasSubstr;

/// A folder with a bundle around a model, and a program of a few lines of shell in the place of the one that tries it.
class TrialInAChild : public testing::Test {
 protected:
  void SetUp() override { Write("nets/model.onnx", "model bytes"); }

  void Write(const std::string& name, std::string_view bytes) {
    std::filesystem::create_directories((folder_.path() / name).parent_path());
    EXPECT_TRUE(base::WriteFileAtomically(folder_.path() / name, bytes));
  }
  bundle::Bundle Bundle() {
    Write("slipway.yaml", "slipway: 1\nname: m\nversion: 1.0.0\nmodel: {engine: onnx, file: nets/model.onnx}\n");
    return *bundle::Bundle::Open(folder_.path());
  }
  base::Result<void> Try(const std::string& script, TrialLimits limits = {.time = 20s, .memory = {}}) {
    const std::string program = (folder_.path() / "program").string();
    Write("program", "#!/bin/sh\n" + script + "\n");
    ::chmod(program.c_str(), 0755);
    return TrialInChild(limits, program)({Bundle(), {}, {}, "ONNX Runtime", "Conv"});
  }
  std::string Refusal(const std::string& script, TrialLimits limits = {.time = 20s, .memory = {}}) {
    const auto tried = Try(script, limits);
    if (tried) return "loaded";
    EXPECT_EQ(tried.error().reason, "engine.model");
    EXPECT_EQ(tried.error().code, base::Code::kInvalidArgument);
    return tried.error().Text();
  }

  base::TemporaryFolder folder_ = *base::TemporaryFolder::Create();
};

TEST_F(TrialInAChild, ThatEndsWellLetsTheModelPass) {
  EXPECT_TRUE(Try("exit 0"));
}

TEST_F(TrialInAChild, ThatCrashesTellsTheSignalAndTheOperators) {
  const std::string message = Refusal("kill -FPE $$");

  EXPECT_THAT(message, HasSubstr("ONNX Runtime crashed with SIGFPE"));
  EXPECT_THAT(message, HasSubstr("because of Conv"));
}

TEST_F(TrialInAChild, ThatDoesNotEndTellsTheTime) {
  const std::string message = Refusal("sleep 100", {.time = 300ms, .memory = {}});

  EXPECT_THAT(message, HasSubstr("did not finish in 300ms"));
  EXPECT_THAT(message, HasSubstr("SLIPWAY_TRIAL_TIME"));
}

TEST_F(TrialInAChild, PastItsProcessorTimeDidNotFinishEither) {
  EXPECT_THAT(Refusal("kill -XCPU $$"), HasSubstr("did not finish"));
}

TEST_F(TrialInAChild, ThatTheSystemKillsNeededTooMuchMemory) {
  EXPECT_THAT(Refusal("kill -KILL $$", {.time = 20s, .memory = base::Bytes{2254857830}}),
              HasSubstr("needed more than 2.1GiB"));
}

TEST_F(TrialInAChild, ThatLeavesWithAnUnknownCodeCrashed) {
  EXPECT_THAT(Refusal("exit 127"), HasSubstr("crashed with exit code 127"));
}

TEST_F(TrialInAChild, ThatRefusesTheModelIsQuoted) {
  EXPECT_EQ(Refusal("echo model.onnx >&3; echo unknown operator >&3; exit 41"), "model.onnx: unknown operator");
}

TEST_F(TrialInAChild, GetsItsLimitsAndTheBundle) {
  const auto tried =
      Try("[ \"$1\" = try-bundle ] && [ $2 = $PPID ] && [ $3 = 5000000 ] && [ $4 -ge 20 ] || exit 1\n"
          "grep -q 'model bytes' /proc/self/fd/4 && grep -q 'engine: onnx' /proc/self/fd/4",
          {.time = 20s, .memory = base::Bytes{5'000'000}});
  EXPECT_TRUE(tried) << tried.error().Text();
}

TEST_F(TrialInAChild, ThatCannotStartIsNoFaultOfTheModel) {
  const auto tried = TrialInChild({}, "/no/such/program")({Bundle(), {}, {}, "ONNX Runtime", "Conv"});

  ASSERT_FALSE(tried);
  EXPECT_EQ(tried.error().reason, "engine.trial");
  EXPECT_EQ(tried.error().code, base::Code::kUnavailable);
}

/// The other process, made by fork instead of by starting a program.
class TrialOfABundle : public TrialInAChild {
 protected:
  struct Outcome {
    int code = 0;
    std::string report;
  };

  static base::Result<void> LoadModel(const bundle::Bundle& bundle, const EngineOptions& options) {
    SLIPWAY_TRY(onnx::OnnxLoader({})(bundle, options));
    return {};
  }

  Outcome Run(const std::string& model, const TrialLoad& load = LoadModel, int64_t memory = kPlenty,
              const std::vector<std::string>& external_files = {}) {
    Write("nets/model.onnx", model);
    const auto parcel = PackParcel(Bundle(), {}, external_files);
    EXPECT_TRUE(parcel);
    int report[2];
    EXPECT_EQ(::pipe(report), 0);
    const std::string parent = std::to_string(::getpid()), bytes = std::to_string(memory);
    const pid_t child = ::fork();
    if (child == 0) {
      ::dup2(parcel->file.get(), 10);
      ::dup2(report[1], base::kChildReport);
      ::dup2(10, base::kChildInput);
      std::array words = {const_cast<char*>(parent.c_str()), const_cast<char*>(bytes.c_str()), const_cast<char*>("60")};
      ::_exit(RunTrial(words, load));
    }
    ::close(report[1]);
    Outcome outcome;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(report[0], buffer, sizeof(buffer))) > 0;) {
      outcome.report.append(buffer, static_cast<size_t>(got));
    }
    ::close(report[0]);
    ::waitpid(child, &outcome.code, 0);
    outcome.code = WIFEXITED(outcome.code) ? WEXITSTATUS(outcome.code) : -WTERMSIG(outcome.code);
    return outcome;
  }

  static constexpr int64_t kPlenty = int64_t{1} << 60;
};

const std::string kConvolution = TinyModel()
                                     .Input("x", onnx::kFloat, {-1, 1, 3, 3})
                                     .Initializer(onnx::FloatTensor("k", {1, 1, 2, 2}, {1, 2, 3, 4}))
                                     .Node("Conv", {"x", "k"}, {"y"})
                                     .Output("y", onnx::kFloat, {-1, 1, 2, 2})
                                     .Bytes();

TEST_F(TrialOfABundle, EndsWellForAGoodModel) {
  const Outcome outcome = Run(kConvolution);
  EXPECT_EQ(outcome.code, 0) << outcome.report;
}

TEST_F(TrialOfABundle, HasTheFilesBesideTheModel) {
  Write("nets/k.bin", std::string_view("\0\0\x80\x3f\0\0\x80\x3f", 8));
  const std::string model = TinyModel()
                                .Input("x", onnx::kFloat, {-1, 2})
                                .Initializer(onnx::ExternalFloatTensor("k", {2}, "k.bin", "0", "8"))
                                .Node("Mul", {"x", "k"}, {"y"})
                                .Output("y", onnx::kFloat, {-1, 2})
                                .Bytes();
  EXPECT_EQ(Run(model, LoadModel, kPlenty, {"nets/k.bin"}).code, 0);
  EXPECT_THAT(Run(model).report, HasSubstr("missing from the bundle"));
}

TEST_F(TrialOfABundle, ReportsARefusalAndItsPlace) {
  const Outcome outcome = Run(TinyModel().Input("x", onnx::kFloat, {-1}).Node("Unheard", {"x"}, {"y"}).Bytes());
  EXPECT_EQ(outcome.code, 41);
  EXPECT_THAT(outcome.report, testing::StartsWith("nets/model.onnx\n"));
  EXPECT_THAT(outcome.report, HasSubstr("ONNX Runtime"));
}

TEST_F(TrialOfABundle, LeavesErrorsThatAreNotTheModelsToOthers) {
  const auto fail = [](base::Code code, const std::string& reason) {
    return [=](const bundle::Bundle&, const EngineOptions&) -> base::Result<void> {
      return base::Fail(code, reason, "what happened");
    };
  };
  EXPECT_EQ(Run("", fail(base::Code::kInvalidArgument, "manifest.outputs")).code, 0);
  EXPECT_EQ(Run("", fail(base::Code::kInvalidArgument, "engine.model")).code, 41);
  EXPECT_EQ(Run("", fail(base::Code::kResourceExhausted, "engine.memory")).code, 42);
}

#ifndef SLIPWAY_SHADOWED
TEST_F(TrialOfABundle, EndsWhenMemoryDoes) {
  std::string size;
  onnx::AppendWireInteger(size, 1, 1);
  onnx::AppendWireInteger(size, 2, onnx::kInt64);
  onnx::AppendWireInteger(size, 7, uint64_t{1} << 30);
  onnx::AppendWireBytes(size, 8, "size");
  const std::string flood = TinyModel()
                                .Input("x", onnx::kFloat, {-1, 1})
                                .Initializer(size)
                                .Node("ConstantOfShape", {"size"}, {"flood"})
                                .Node("ReduceMax", {"flood"}, {"most"}, {onnx::IntAttribute("keepdims", 0)})
                                .Node("Add", {"x", "most"}, {"y"})
                                .Output("y", onnx::kFloat, {-1, 1})
                                .Bytes();
  const auto take = [](const bundle::Bundle&, const EngineOptions&) -> base::Result<void> {
    if (std::vector<char>(size_t{4} << 30).empty()) return base::Fail(base::Code::kInternal, "unreachable", "");
    return {};
  };
  EXPECT_EQ(Run(flood, LoadModel, 1 << 30).code, 42) << "what ONNX Runtime could not get";
  EXPECT_EQ(Run("", take, 1 << 30).code, 42) << "what anybody else could not";
}
#endif

TEST(Trial, StopsWhenItIsStartedByHand) {
  std::array words = {const_cast<char*>("1"), const_cast<char*>("x"), const_cast<char*>("60")};
  EXPECT_EQ(RunTrial(words, {}), 43);
}

TEST(Parcel, ADamagedOneIsRefused) {
  const base::FileDescriptor file(::memfd_create("test", MFD_CLOEXEC));
  EXPECT_FALSE(Parcel::Open(file.get()));
  base::WriteAll(file.get(), std::string_view("\xff\xff\xff\xff\xff\xff\xff\x7f rest"));
  EXPECT_FALSE(Parcel::Open(file.get()));
  for (const char* files : {"{}", "[1]", "[{}]", R"([{"name":"a","offset":9000,"size":1}])",
                            R"([{"name":"a","offset":0,"size":9000}])", R"([{"name":"a","offset":-1,"size":1}])"}) {
    const std::string header = R"({"threads":1,"files":)" + std::string(files) + "}";
    const uint64_t size = header.size();
    EXPECT_EQ(::ftruncate(file.get(), 0) + ::lseek(file.get(), 0, SEEK_SET), 0);
    base::WriteAll(file.get(), {reinterpret_cast<const char*>(&size), sizeof(size)});
    base::WriteAll(file.get(), header);
    EXPECT_FALSE(Parcel::Open(file.get())) << header;
  }
}

TEST_F(TrialInAChild, AParcelCarriesOptionsAndFiles) {
  Write("nets/w.bin", "weights");
  Write("nets/empty.bin", "");
  Write("golden.jsonl", "{}\n");

  const auto packed = PackParcel(Bundle(), {.threads = 3}, {"nets/w.bin", "nets/empty.bin"});
  ASSERT_TRUE(packed);
  const auto parcel = Parcel::Open(packed->file.get());

  ASSERT_TRUE(parcel) << parcel.error().Text();
  EXPECT_EQ(parcel->options().threads, 3);
  EXPECT_EQ(parcel->files().size(), 5);
  const auto bundle = bundle::Bundle::OfFiles(parcel->files());
  ASSERT_TRUE(bundle) << bundle.error().Text();
  EXPECT_EQ(bundle->Read("nets/model.onnx").value_or("none"), "model bytes");
  EXPECT_EQ(bundle->Read("nets/w.bin").value_or("none"), "weights");
  EXPECT_EQ(bundle->Read("nets/empty.bin").value_or("none"), "");
  EXPECT_TRUE(bundle->Has("golden.jsonl"));
}

}  // namespace
}  // namespace slipway::engine
