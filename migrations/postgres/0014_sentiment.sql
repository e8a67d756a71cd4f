-- +goose Up

-- What the reviews of a course say. body is all of it; score and weight are in
-- columns too, because ranking reads them for all courses at once.
CREATE TABLE review_summaries (
    course_id bigint PRIMARY KEY REFERENCES courses (course_id) ON DELETE CASCADE,
    score     double precision,
    weight    double precision NOT NULL,
    body      json NOT NULL
);

-- course_id is that of the review, kept in step, so that the holds of a course are
-- found by themselves.
CREATE TABLE held_reviews (
    review_id  bigint PRIMARY KEY REFERENCES reviews (id) ON DELETE CASCADE,
    course_id  bigint NOT NULL REFERENCES course_ids (id),
    rule       text NOT NULL,
    detail     text NOT NULL,
    held_at    timestamptz NOT NULL,
    status     text NOT NULL,
    decided_by text NOT NULL,
    decided_at timestamptz
);

CREATE INDEX held_reviews_course ON held_reviews (course_id);
CREATE INDEX held_reviews_status ON held_reviews (status, held_at);

-- +goose Down
DROP TABLE held_reviews;
DROP TABLE review_summaries;
DELETE FROM course_changes WHERE kind = 'sentiment';
DELETE FROM feed_positions WHERE name = 'opinion';
