-- +goose Up

-- What happened of the impressions and enrolments of a day, whenever it followed, so that
-- a rate is a share: parts of what stands in the same row. Zero until the metrics are
-- counted anew, which whoever keeps them does by itself.
ALTER TABLE metric_cells ADD COLUMN clicked double precision NOT NULL DEFAULT 0;
ALTER TABLE metric_cells ADD COLUMN enrolled double precision NOT NULL DEFAULT 0;
ALTER TABLE metric_cells ADD COLUMN dismissed double precision NOT NULL DEFAULT 0;
ALTER TABLE metric_cells ADD COLUMN reported double precision NOT NULL DEFAULT 0;
ALTER TABLE metric_cells ADD COLUMN dropped double precision NOT NULL DEFAULT 0;
ALTER TABLE metric_cells_anew ADD COLUMN clicked double precision NOT NULL DEFAULT 0;
ALTER TABLE metric_cells_anew ADD COLUMN enrolled double precision NOT NULL DEFAULT 0;
ALTER TABLE metric_cells_anew ADD COLUMN dismissed double precision NOT NULL DEFAULT 0;
ALTER TABLE metric_cells_anew ADD COLUMN reported double precision NOT NULL DEFAULT 0;
ALTER TABLE metric_cells_anew ADD COLUMN dropped double precision NOT NULL DEFAULT 0;
ALTER TABLE learner_days ADD COLUMN clicked double precision NOT NULL DEFAULT 0;
ALTER TABLE learner_days ADD COLUMN enrolled double precision NOT NULL DEFAULT 0;
ALTER TABLE learner_days ADD COLUMN dismissed double precision NOT NULL DEFAULT 0;
ALTER TABLE learner_days ADD COLUMN reported double precision NOT NULL DEFAULT 0;
ALTER TABLE learner_days ADD COLUMN begun double precision NOT NULL DEFAULT 0;
ALTER TABLE learner_days ADD COLUMN completed double precision NOT NULL DEFAULT 0;
ALTER TABLE learner_days ADD COLUMN dropped double precision NOT NULL DEFAULT 0;
ALTER TABLE learner_days_anew ADD COLUMN clicked double precision NOT NULL DEFAULT 0;
ALTER TABLE learner_days_anew ADD COLUMN enrolled double precision NOT NULL DEFAULT 0;
ALTER TABLE learner_days_anew ADD COLUMN dismissed double precision NOT NULL DEFAULT 0;
ALTER TABLE learner_days_anew ADD COLUMN reported double precision NOT NULL DEFAULT 0;
ALTER TABLE learner_days_anew ADD COLUMN begun double precision NOT NULL DEFAULT 0;
ALTER TABLE learner_days_anew ADD COLUMN completed double precision NOT NULL DEFAULT 0;
ALTER TABLE learner_days_anew ADD COLUMN dropped double precision NOT NULL DEFAULT 0;

-- +goose Down
-- What is counted without these columns was counted by the rules of before, and is counted
-- anew when they are back.
UPDATE metric_progress SET definition = regexp_replace(definition, '"rules":[0-9]+,', '');

ALTER TABLE metric_cells DROP COLUMN clicked;
ALTER TABLE metric_cells DROP COLUMN enrolled;
ALTER TABLE metric_cells DROP COLUMN dismissed;
ALTER TABLE metric_cells DROP COLUMN reported;
ALTER TABLE metric_cells DROP COLUMN dropped;
ALTER TABLE metric_cells_anew DROP COLUMN clicked;
ALTER TABLE metric_cells_anew DROP COLUMN enrolled;
ALTER TABLE metric_cells_anew DROP COLUMN dismissed;
ALTER TABLE metric_cells_anew DROP COLUMN reported;
ALTER TABLE metric_cells_anew DROP COLUMN dropped;
ALTER TABLE learner_days DROP COLUMN clicked;
ALTER TABLE learner_days DROP COLUMN enrolled;
ALTER TABLE learner_days DROP COLUMN dismissed;
ALTER TABLE learner_days DROP COLUMN reported;
ALTER TABLE learner_days DROP COLUMN begun;
ALTER TABLE learner_days DROP COLUMN completed;
ALTER TABLE learner_days DROP COLUMN dropped;
ALTER TABLE learner_days_anew DROP COLUMN clicked;
ALTER TABLE learner_days_anew DROP COLUMN enrolled;
ALTER TABLE learner_days_anew DROP COLUMN dismissed;
ALTER TABLE learner_days_anew DROP COLUMN reported;
ALTER TABLE learner_days_anew DROP COLUMN begun;
ALTER TABLE learner_days_anew DROP COLUMN completed;
ALTER TABLE learner_days_anew DROP COLUMN dropped;
