-- +goose Up

-- What happened of the impressions and enrolments of a day, whenever it followed, so that
-- a rate is a share: parts of what stands in the same row. Zero until the metrics are
-- counted anew, which whoever keeps them does by itself.
ALTER TABLE metric_cells ADD COLUMN clicked REAL NOT NULL DEFAULT 0;
ALTER TABLE metric_cells ADD COLUMN enrolled REAL NOT NULL DEFAULT 0;
ALTER TABLE metric_cells ADD COLUMN dismissed REAL NOT NULL DEFAULT 0;
ALTER TABLE metric_cells ADD COLUMN reported REAL NOT NULL DEFAULT 0;
ALTER TABLE metric_cells ADD COLUMN dropped REAL NOT NULL DEFAULT 0;
ALTER TABLE metric_cells_anew ADD COLUMN clicked REAL NOT NULL DEFAULT 0;
ALTER TABLE metric_cells_anew ADD COLUMN enrolled REAL NOT NULL DEFAULT 0;
ALTER TABLE metric_cells_anew ADD COLUMN dismissed REAL NOT NULL DEFAULT 0;
ALTER TABLE metric_cells_anew ADD COLUMN reported REAL NOT NULL DEFAULT 0;
ALTER TABLE metric_cells_anew ADD COLUMN dropped REAL NOT NULL DEFAULT 0;
ALTER TABLE learner_days ADD COLUMN clicked REAL NOT NULL DEFAULT 0;
ALTER TABLE learner_days ADD COLUMN enrolled REAL NOT NULL DEFAULT 0;
ALTER TABLE learner_days ADD COLUMN dismissed REAL NOT NULL DEFAULT 0;
ALTER TABLE learner_days ADD COLUMN reported REAL NOT NULL DEFAULT 0;
ALTER TABLE learner_days ADD COLUMN begun REAL NOT NULL DEFAULT 0;
ALTER TABLE learner_days ADD COLUMN completed REAL NOT NULL DEFAULT 0;
ALTER TABLE learner_days ADD COLUMN dropped REAL NOT NULL DEFAULT 0;
ALTER TABLE learner_days_anew ADD COLUMN clicked REAL NOT NULL DEFAULT 0;
ALTER TABLE learner_days_anew ADD COLUMN enrolled REAL NOT NULL DEFAULT 0;
ALTER TABLE learner_days_anew ADD COLUMN dismissed REAL NOT NULL DEFAULT 0;
ALTER TABLE learner_days_anew ADD COLUMN reported REAL NOT NULL DEFAULT 0;
ALTER TABLE learner_days_anew ADD COLUMN begun REAL NOT NULL DEFAULT 0;
ALTER TABLE learner_days_anew ADD COLUMN completed REAL NOT NULL DEFAULT 0;
ALTER TABLE learner_days_anew ADD COLUMN dropped REAL NOT NULL DEFAULT 0;

-- +goose Down
-- What is counted without these columns was counted by the rules of before, and is counted
-- anew when they are back.
UPDATE metric_progress SET definition = replace(definition, '"rules":2,', '');

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
