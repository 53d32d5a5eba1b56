#include "serving/openapi/document.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>

#include "serving/openapi/json_schema.h"

namespace slipway::serving::openapi {
namespace {

using base::Value;

Value Reference(std::string_view kind, std::string_view name) {
  return Value::Map().Set("$ref", fmt::format("#/components/{}/{}", kind, name));
}

Value TextSchema() {
  return Value::Map().Set("type", "string");
}

Value Object(Value properties, std::initializer_list<const char*> required) {
  Value names = Value::List();
  for (const char* name : required) names.Add(name);
  return Value::Map().Set("type", "object").Set("properties", std::move(properties)).Set("required", std::move(names));
}

Value ListOf(Value items) {
  return Value::Map().Set("type", "array").Set("items", std::move(items));
}

Value OneOrOther(std::string_view word, Value first, Value second) {
  return Value::Map().Set(std::string(word), Value::List().Add(std::move(first)).Add(std::move(second)));
}

Value Content(std::string_view media_type, Value schema) {
  return Value::Map().Set(std::string(media_type), Value::Map().Set("schema", std::move(schema)));
}

/// A table as text: what is wrong with its rows, its answer says row by row.
Value CsvSchema() {
  return TextSchema().Set("minLength", 1).Set("pattern", "\\S").Set("description", "A header, then a record a line.");
}

Value JsonLinesSchema() {
  return TextSchema().Set("description", "A record a line.");
}

/// `names` are headers of components.headers that every such answer has.
Value Answer(std::string_view description, Value content, std::initializer_list<const char*> names = {}) {
  Value headers = Value::Map().Set("X-Request-Id", Reference("headers", "X-Request-Id"));
  for (const char* name : names) headers.Set(name, Reference("headers", name));
  return Value::Map()
      .Set("description", description)
      .Set("headers", std::move(headers))
      .Set("content", std::move(content));
}

/// `{"400": Problem, …}` added to `responses`.
void AddProblems(Value& responses, std::initializer_list<int> statuses) {
  for (const int status : statuses) {
    const bool later = status == 429 || status == 503;
    responses.Set(std::to_string(status), Reference("responses", later ? "RetryLater" : "Problem"));
  }
}

Value ViolationSchema() {
  return Object(Value::Map()
                    .Set("field", TextSchema())
                    .Set("code", TextSchema())
                    .Set("value", Value::Map())
                    .Set("rule", TextSchema())
                    .Set("message", TextSchema()),
                {"field", "code", "message"});
}

Value RowErrorSchema() {
  return Object(Value::Map()
                    .Set("row", Value::Map().Set("type", "integer"))
                    .Set("violations", ListOf(Reference("schemas", "Violation"))),
                {"row", "violations"});
}

Value ProblemSchema() {
  return Object(
      Value::Map()
          .Set("type", TextSchema())
          .Set("title", TextSchema())
          .Set("status", Value::Map().Set("type", "integer"))
          .Set("detail", TextSchema())
          .Set("code", Value::Map().Set("type", "string").Set("description", "Stable: programs may rely on it."))
          .Set("request_id", TextSchema())
          .Set("violations", ListOf(Reference("schemas", "Violation")))
          .Set("errors", ListOf(Reference("schemas", "RowError"))),
      {"type", "title", "status", "detail", "code", "request_id"});
}

Value AnswerHead() {
  Value number = Value::Map().Set("type", "number");
  Value timing = Value::Map()
                     .Set("type", "object")
                     .Set("description", "Microseconds by phase; with explain=timing.")
                     .Set("additionalProperties", std::move(number));
  return Value::Map()
      .Set("model", TextSchema())
      .Set("version", TextSchema())
      .Set("request_id", TextSchema())
      .Set("timing_us", std::move(timing));
}

Value QueryParameter(std::string_view name, std::string_view description, Value words) {
  return Value::Map()
      .Set("name", name)
      .Set("in", "query")
      .Set("required", false)
      .Set("description", description)
      .Set("schema", TextSchema().Set("enum", std::move(words)));
}

Value PredictParameters() {
  return Value::List()
      .Add(QueryParameter("strict", "true: one record that breaks the schema refuses the whole request.",
                          Value::List().Add("true").Add("false")))
      .Add(QueryParameter("explain", "timing: where the time went. With an answer in JSON only.",
                          Value::List().Add("timing")));
}

/// The answer to one record, or to several.
Value AnswerSchema(const std::string& model) {
  const Value prediction = Reference("schemas", model + ".Prediction");
  Value one =
      Object(AnswerHead().Set("prediction", prediction).Set("warnings", ListOf(Reference("schemas", "Violation"))),
             {"model", "version", "request_id", "prediction"});
  Value several =
      Object(AnswerHead()
                 .Set("predictions", ListOf(OneOrOther("anyOf", prediction, Value::Map().Set("type", "null"))))
                 .Set("errors", ListOf(Reference("schemas", "RowError")))
                 .Set("warnings", ListOf(Reference("schemas", "RowError"))),
             {"model", "version", "request_id", "predictions"});
  return OneOrOther("oneOf", std::move(one), std::move(several));
}

Value RequestSchema(const std::string& model, int64_t most_rows) {
  const Value record = Reference("schemas", model + ".Record");
  Value list = ListOf(record).Set("maxItems", most_rows);
  Value wrapped = Object(Value::Map().Set("records", list), {"records"}).Set("additionalProperties", false);
  Value forms = Value::List();
  forms.Add(record).Add(std::move(wrapped)).Add(std::move(list));
  return Value::Map().Set("anyOf", std::move(forms));
}

/// Golden records as examples, those with personal values left out.
Value Examples(const live::LoadedModel& model) {
  Value examples = Value::Map();
  for (const std::string& record : model.examples) {
    auto value = base::ParseJson(record);
    if (!value) continue;
    examples.Set(fmt::format("golden{}", examples.map().size() + 1), Value::Map().Set("value", std::move(*value)));
  }
  return examples;
}

Value PredictOperation(const live::LoadedModel& model) {
  const auto& manifest = model.contract->manifest;
  Value json = Value::Map().Set("schema", RequestSchema(model.name, manifest.limits.max_batch_rows));
  if (Value examples = Examples(model); !examples.map().empty()) json.Set("examples", std::move(examples));
  Value content = Value::Map();
  content.Set("application/json", std::move(json))
      .Set("application/x-ndjson", Value::Map().Set("schema", JsonLinesSchema()))
      .Set("text/csv", Value::Map().Set("schema", CsvSchema()));
  Value answers = Content("application/json", Reference("schemas", model.name + ".Answer"));
  answers.Set("application/x-ndjson", Value::Map().Set("schema", JsonLinesSchema()))
      .Set("text/csv", Value::Map().Set("schema", CsvSchema()));
  Value responses = Value::Map().Set(
      "200", Answer("Predictions. Of several records the wrong ones have null here and an entry in `errors`.",
                    std::move(answers), {"Slipway-Model", "Slipway-Version", "Slipway-Arm"}));
  AddProblems(responses, {400, 406, 408, 409, 411, 413, 415, 422, 429, 500, 503, 504});
  return Value::Map()
      .Set("operationId", "predict-" + model.name)
      .Set("tags", Value::List().Add("predict"))
      .Set("summary", manifest.description.empty() ? "Predict with " + model.name : manifest.description)
      .Set("description", fmt::format("Version {} ({}). `@` and a version behind the name asks for another one.",
                                      model.version_text, model.digest))
      .Set("parameters", PredictParameters())
      .Set("requestBody", Value::Map().Set("required", true).Set("content", std::move(content)))
      .Set("responses", std::move(responses));
}

Value Get(std::string_view id, std::string_view summary, std::string_view media_type, Value schema,
          std::initializer_list<int> problems = {}) {
  Value responses = Value::Map().Set("200", Answer(summary, Content(media_type, std::move(schema))));
  AddProblems(responses, problems);
  return Value::Map().Set("operationId", id).Set("summary", summary).Set("responses", std::move(responses));
}

/// The same shape with 200 and with 503.
Value StateOperation(std::string_view id, std::string_view summary, std::string_view otherwise, const Value& shape) {
  Value operation = Get(id, summary, "application/json", shape);
  Value responses = *operation.Find("responses");
  responses.Set("503", Answer(otherwise, Content("application/json", shape)));
  return operation.Set("responses", std::move(responses));
}

Value ReadyOperation() {
  return StateOperation(
      "ready", "Whether this process should get traffic.", "It should not, and why.",
      Object(Value::Map().Set("ready", Value::Map().Set("type", "boolean")).Set("reason", TextSchema()), {"ready"}));
}

Value HealthOperation() {
  Value verdicts = TextSchema().Set("enum", Value::List().Add("pass").Add("warn").Add("fail"));
  return StateOperation("health", "Models, memory, latency, errors and event loops against their thresholds.",
                        "A check fails.",
                        Object(Value::Map()
                                   .Set("status", std::move(verdicts))
                                   .Set("state", TextSchema())
                                   .Set("checks", Value::Map().Set("type", "object")),
                               {"status", "state", "checks"}));
}

/// live::ModelReference as an expression of ECMAScript.
constexpr std::string_view kReference =
    R"(^[^@]{1,128}(@(\^?(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){0,2}|[A-Za-z._-][A-Za-z0-9._-]{0,127}|)"
    R"(sha256:[0-9a-f]{12,64}))?$)";

Value ModelOperation(const live::Snapshot& snapshot) {
  Value names = Value::List();
  for (const auto& entry : snapshot.entries()) names.Add(entry.name);
  Value parameter = Value::Map()
                        .Set("name", "model")
                        .Set("in", "path")
                        .Set("required", true)
                        .Set("description", "A name, or name@version.")
                        .Set("schema", TextSchema().Set("pattern", kReference).Set("examples", std::move(names)));
  return Get("model", "The contract and the state of one model.", "application/json",
             Object(Value::Map().Set("name", TextSchema()).Set("version", TextSchema()), {"name", "version"}),
             {400, 404})
      .Set("parameters", Value::List().Add(std::move(parameter)));
}

Value ModelsSchema() {
  Value versions = ListOf(Object(Value::Map()
                                     .Set("version", TextSchema())
                                     .Set("state", TextSchema())
                                     .Set("digest", TextSchema())
                                     .Set("loaded_at", TextSchema().Set("format", "date-time")),
                                 {"version", "state", "digest"}));
  Value models = ListOf(Object(Value::Map()
                                   .Set("name", TextSchema())
                                   .Set("stable", TextSchema())
                                   .Set("description", TextSchema())
                                   .Set("versions", std::move(versions)),
                               {"name", "stable", "versions"}));
  Value bundles = ListOf(Object(Value::Map()
                                    .Set("state", TextSchema())
                                    .Set("model", TextSchema())
                                    .Set("version", TextSchema())
                                    .Set("error", Value::Map().Set("type", "object")),
                                {"state"}));
  return Object(Value::Map().Set("models", std::move(models)).Set("bundles", std::move(bundles)),
                {"models", "bundles"});
}

void AddPath(Value& paths, std::string path, const char* method, Value operation) {
  paths.Set(std::move(path), Value::Map().Set(method, std::move(operation)));
}

Value HeaderComponents() {
  const auto header = [](std::string_view description, Value schema) {
    return Value::Map().Set("description", description).Set("required", true).Set("schema", std::move(schema));
  };
  return Value::Map()
      .Set("X-Request-Id", header("The request's own, or one made up.", TextSchema().Set("maxLength", 128)))
      .Set("Slipway-Model", header("Which model answers.", TextSchema()))
      .Set("Slipway-Version", header("Which version of it.", TextSchema()))
      .Set("Slipway-Arm", header("As what that version serves.", TextSchema()))
      .Set("Retry-After", header("Seconds to wait.", Value::Map().Set("type", "integer").Set("minimum", 0)));
}

Value Components(const live::Snapshot& snapshot) {
  Value schemas = Value::Map();
  schemas.Set("Problem", ProblemSchema()).Set("Violation", ViolationSchema()).Set("RowError", RowErrorSchema());
  for (const auto& entry : snapshot.entries()) {
    const scoring::Contract& contract = *entry.stable->contract;
    // What only the model knows is left open until it has been loaded.
    const bool inputs = contract.whole || contract.manifest.has_inputs;
    const Value any = Value::Map().Set("type", "object");
    schemas.Set(entry.name + ".Record", inputs ? RecordSchema(contract.schema) : any)
        .Set(entry.name + ".Prediction", contract.whole ? PredictionSchema(contract.output_fields) : any)
        .Set(entry.name + ".Answer", AnswerSchema(entry.name));
  }
  constexpr std::string_view kProblem = "What is wrong, where, and the way out (RFC 9457).";
  const Value content = Content("application/problem+json", Reference("schemas", "Problem"));
  Value responses = Value::Map()
                        .Set("Problem", Answer(kProblem, content))
                        .Set("RetryLater", Answer("Not now (RFC 9457).", content, {"Retry-After"}));
  return Value::Map()
      .Set("schemas", std::move(schemas))
      .Set("responses", std::move(responses))
      .Set("headers", HeaderComponents());
}

}  // namespace

Value Document(const live::Snapshot& snapshot, std::string_view program_version) {
  Value paths = Value::Map();
  for (const auto& entry : snapshot.entries()) {
    AddPath(paths, "/predict/" + entry.name, "post", PredictOperation(*entry.stable));
  }
  AddPath(paths, "/models", "get",
          Get("models", "All models and what became of their bundles.", "application/json", ModelsSchema()));
  AddPath(paths, "/models/{model}", "get", ModelOperation(snapshot));
  AddPath(paths, "/livez", "get",
          Get("live", "Whether this process answers.", "application/json",
              Object(Value::Map().Set("live", Value::Map().Set("type", "boolean")), {"live"})));
  AddPath(paths, "/readyz", "get", ReadyOperation());
  AddPath(paths, "/health", "get", HealthOperation());
  AddPath(paths, "/metrics", "get", Get("metrics", "Measurements for Prometheus.", "text/plain", TextSchema()));
  return Value::Map()
      .Set("openapi", "3.1.0")
      .Set("info", Value::Map()
                       .Set("title", "Slipway")
                       .Set("version", program_version)
                       .Set("description",
                            "Predictions of the models served here. Open Inference Protocol, TensorFlow "
                            "Serving and MLflow clients find their own routes beside these."))
      .Set("paths", std::move(paths))
      .Set("components", Components(snapshot));
}

}  // namespace slipway::serving::openapi
