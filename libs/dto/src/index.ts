export { decode, toPointer, toQueryName } from './decode.js';
export type { Decoded, Kind } from './decode.js';
export { nearest } from './nearest.js';
export { isRecord, shown } from './values.js';
export { Expect, Field, Flag, Nested, OneOf, Text, TextMap, Unsupported, Whole, Decimal } from './fields.js';
export { isMoment } from './moments.js';
export {
  DisconnectDto, ExternalRunDto, LimitsDto, LogsDto, NeedsDto, RetryDto, RunDto, STOP_SIGNALS, SubmitJobDto,
} from './job-spec.dto.js';
export { CancelJobDto, PauseJobDto, ResumeJobDto, SubmitJobsDto } from './submit.dto.js';
export {
  AppendLogDto, AppendMetricsDto, CompleteAttemptDto, LogProofsDto, MeasuredPointDto, RenewAttemptDto, ReportedUsageDto, ReportProgressDto,
  StartAttemptDto,
} from './http-attempt.dto.js';
export { ClaimDto, HeartbeatDto, MachineSampleDto, RegisterWorkerDto, WorkerGpuDto } from './http-worker.dto.js';
export { ExecutionDto } from './http-worker.fields.js';
export {
  ClaimedAttemptDto, ClaimedJobDto, ClaimViewDto, CompletedViewDto, HeartbeatViewDto, NothingDto, PendingCommandDto, RegisteredWorkerViewDto,
  RenewedViewDto, StartedViewDto, StoredLengthDto, VerdictDto,
} from './http-worker.view.dto.js';
export { DownloadLogQuery, ListJobsQuery, ListWorkersQuery, PageQuery, ReadLogQuery } from './list.dto.js';
export { CreateEnrolmentTokenDto, CreateKeyDto, EnrolDto, RotateKeyDto } from './key.dto.js';
export { ExplainViewDto, JobPageDto, JobViewDto, ProgressDto, ReasonTextDto, SubmittedJobsDto, WorkerVerdictDto } from './job.view.dto.js';
export { MetricPageDto, MetricPointDto } from './metric.view.dto.js';
export { AttemptListDto, AttemptViewDto, EventPageDto, EventViewDto, ExitDto, LogStreamStateDto, UsageDto } from './attempt.view.dto.js';
export {
  AttemptSampleDto, GpuSampleDto, WorkerCountersDto, WorkerFaultDto, WorkerLocationDto, WorkerPageDto, WorkerSampleDto, WorkerViewDto,
} from './worker.view.dto.js';
export {
  JobSamplesQuery, SampleMeasureDto, SampleSeriesDto, SamplesQuery, SamplesViewDto, WorkerSamplesQuery,
} from './sample.view.dto.js';
export { DrainViewDto, MaintenanceViewDto, WorkerSaidDto } from './worker-orders.view.dto.js';
export { CordonWorkerDto, DrainWorkerDto, RemoveWorkerQuery, UndrainWorkerDto, UpdateWorkerDto } from './worker-orders.dto.js';
export { StatsViewDto, ThroughputDto, WorkerStatsViewDto } from './stats.view.dto.js';
export { LogMatchDto, LogMatchesDto, LogPageDto, LogSegmentDto } from './log.view.dto.js';
export { CreatedKeyViewDto, FieldErrorDto, KeyListDto, KeyViewDto, MetaViewDto, MeViewDto, ProblemDto } from './key.view.dto.js';
export { CreatedEnrolmentTokenViewDto, EnrolmentTokenListDto, EnrolmentTokenViewDto } from './enrolment.view.dto.js';
