-- +goose Up

-- One vector per course for what its reviews say; little-endian float32.
CREATE TABLE review_embeddings (
    fingerprint_id bigint NOT NULL REFERENCES fingerprints (id),
    course_id      bigint NOT NULL REFERENCES course_ids (id),
    vector         bytea NOT NULL,
    PRIMARY KEY (fingerprint_id, course_id)
);

ALTER TABLE review_embeddings ALTER COLUMN vector SET STORAGE EXTERNAL;

-- +goose Down
DROP TABLE review_embeddings;
