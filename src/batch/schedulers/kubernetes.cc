// A ConfigMap with the job and a CronJob that runs it.

#include <fmt/format.h>

#include <vector>

#include "batch/schedulers/texts.h"

namespace slipway::batch {
namespace {

/// The job's file as a block of YAML, each line `spaces` from the margin.
std::string Block(std::string_view text, size_t spaces) {
  std::string block;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) block += std::string(spaces, ' ') + std::string(text.substr(0, end));
    block += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return block;
}

/// Who is tried again, and who not.
std::string Policy(const Periodic& periodic, int64_t shards) {
  const std::string_view action = shards > 1 ? "FailIndex" : "FailJob";
  const std::string limit = shards > 1 ? fmt::format(
                                             "      completionMode: Indexed\n"
                                             "      completions: {0}\n"
                                             "      parallelism: {0}\n"
                                             "      backoffLimitPerIndex: {1}\n",
                                             shards, periodic.retry.times)
                                       : fmt::format("      backoffLimit: {}\n", periodic.retry.times);
  return limit +
         fmt::format(
             "      podFailurePolicy:\n"
             "        rules:\n"
             "          # A node that is drained is nobody's fault.\n"
             "          - action: Ignore\n"
             "            onPodConditions:\n"
             "              - type: DisruptionTarget\n"
             "                status: \"True\"\n"
             "          # 1 (data, model) and 2 (usage) do not get better by themselves; 3 and 4 are tried again.\n"
             "          - action: {}\n"
             "            onExitCodes:\n"
             "              containerName: slipway\n"
             "              operator: In\n"
             "              values: [1, 2]\n",
             action);
}

std::string PodSpec(const JobFile& file, const SchedulerOptions& options) {
  const Periodic& periodic = file.periodic;
  const std::string deadline =
      periodic.timeout ? fmt::format("          activeDeadlineSeconds: {}\n", periodic.timeout->count()) : "";
  const std::string shard = options.shards > 1 ? fmt::format("\"--shard\", \"auto/{}\", ", options.shards) : "";
  return fmt::format(
      "          restartPolicy: Never\n"
      "          terminationGracePeriodSeconds: 60\n"
      "{deadline}"
      "          automountServiceAccountToken: false\n"
      "          securityContext:\n"
      "            runAsNonRoot: true\n"
      "            runAsUser: 65532\n"
      "            runAsGroup: 65532\n"
      "            fsGroup: 65532\n"
      "            seccompProfile: {{type: RuntimeDefault}}\n"
      "          containers:\n"
      "            - name: slipway\n"
      "              image: {image}\n"
      "              command: [\"slipway\"]\n"
      "              args: [\"batch\", \"run\", \"--resume\", \"--date\", \"auto\", {shard}\"/etc/slipway/job.yaml\"]\n"
      "              workingDir: {folder}\n"
      "              env:\n"
      "                # Its name ends in the time for which it runs, which --date auto reads.\n"
      "                - name: JOB_NAME\n"
      "                  valueFrom:\n"
      "                    fieldRef: {{fieldPath: \"metadata.labels['batch.kubernetes.io/job-name']\"}}\n"
      "              resources:\n"
      "                requests: {{cpu: \"1\", memory: 2Gi}}\n"
      "                limits: {{memory: 2Gi}}\n"
      "              securityContext:\n"
      "                allowPrivilegeEscalation: false\n"
      "                readOnlyRootFilesystem: true\n"
      "                capabilities: {{drop: [\"ALL\"]}}\n"
      "              volumeMounts:\n"
      "                - {{name: job, mountPath: /etc/slipway, readOnly: true}}\n"
      "                - {{name: data, mountPath: {folder}}}\n"
      "                - {{name: tmp, mountPath: /tmp}}\n"
      "          volumes:\n"
      "            - name: job\n"
      "              configMap: {{name: {name}-job}}\n"
      "            - name: data\n"
      "              persistentVolumeClaim: {{claimName: {claim}}}\n"
      "            - name: tmp\n"
      "              emptyDir: {{}}\n",
      fmt::arg("deadline", deadline), fmt::arg("image", Quoted(options.image)), fmt::arg("shard", shard),
      fmt::arg("folder", Quoted(options.folder)), fmt::arg("name", periodic.name),
      fmt::arg("claim", Quoted(options.claim.empty() ? periodic.name + "-data" : options.claim)));
}

/// The pods of a run would otherwise each say so, night after night.
base::Result<void> CheckShards(Job job, int64_t shards) {
  if (shards <= 1 || job.output.find("://") != std::string::npos) return {};
  job.shard = {.index = 0, .count = shards};
  return Complete(job);
}

base::Result<void> Check(const JobFile& file, const Cron& cron, const SchedulerOptions& options) {
  SLIPWAY_TRY(CheckPlainDays(cron, "Kubernetes"));
  SLIPWAY_TRY(CheckDaySteps(cron, "Kubernetes"));
  SLIPWAY_TRY(CheckShards(file.job, options.shards));
  if (!options.image.empty()) return {};
  return base::Fail(base::Code::kInvalidArgument, "usage",
                    fmt::format("--image names the container image with the program in it, such as --image "
                                "registry.example/slipway:0.1.0, for job {}",
                                file.periodic.name));
}

}  // namespace

base::Result<std::vector<SchedulerFile>> KubernetesFiles(const JobFile& file, std::string_view yaml,
                                                         const SchedulerOptions& options) {
  SLIPWAY_ASSIGN(const Cron* cron, CronOf(file, "Kubernetes"));
  SLIPWAY_TRY(Check(file, *cron, options));
  const Periodic& periodic = file.periodic;
  const CatchUp catch_up = periodic.schedule->catch_up();
  const std::string late =
      catch_up == CatchUp::kNone ? "  startingDeadlineSeconds: 60\n" : "  startingDeadlineSeconds: 86400\n";
  const std::string_view note =
      catch_up == CatchUp::kAll
          ? "  # catch_up: all is more than Kubernetes knows: of the times missed, it makes up for the last one.\n"
          : "";
  const std::string text = fmt::format(
      "# Slipway batch job {name}. Kubernetes 1.31 or later; kubectl apply -f this file.\n"
      "apiVersion: v1\n"
      "kind: ConfigMap\n"
      "metadata:\n"
      "  name: {name}-job\n"
      "data:\n"
      "  job.yaml: |2\n"
      "{job}"
      "---\n"
      "apiVersion: batch/v1\n"
      "kind: CronJob\n"
      "metadata:\n"
      "  name: {name}\n"
      "  labels: {{app.kubernetes.io/name: slipway, app.kubernetes.io/component: batch}}\n"
      "spec:\n"
      "  schedule: {schedule}\n"
      "  timeZone: {zone}\n"
      "  concurrencyPolicy: Forbid\n"
      "{note}{late}"
      "  successfulJobsHistoryLimit: 3\n"
      "  failedJobsHistoryLimit: 5\n"
      "  jobTemplate:\n"
      "    spec:\n"
      "{policy}"
      "      template:\n"
      "        spec:\n"
      "{pod}",
      fmt::arg("name", periodic.name), fmt::arg("job", Block(yaml, 4)), fmt::arg("schedule", Quoted(cron->Text())),
      fmt::arg("zone", Quoted(periodic.schedule->zone().name())), fmt::arg("note", note), fmt::arg("late", late),
      fmt::arg("policy", Policy(periodic, options.shards)), fmt::arg("pod", PodSpec(file, options)));
  return std::vector<SchedulerFile>{{.name = periodic.name + ".cronjob.yaml", .text = text}};
}

}  // namespace slipway::batch
