-- +goose Up

-- One vector per course for what its reviews say; little-endian float32.
CREATE TABLE review_embeddings (
    fingerprint_id INTEGER NOT NULL REFERENCES fingerprints (id),
    course_id      INTEGER NOT NULL REFERENCES course_ids (id),
    vector         BLOB NOT NULL,
    PRIMARY KEY (fingerprint_id, course_id)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE review_embeddings;
