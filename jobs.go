package lectern

// Job kinds. A store enqueues jobs in the transaction of the write that needs
// them; workers run them afterwards, at least once.

// EmbedCoursesJob asks for vectors for courses whose text changed. A job
// carries a batch because a queue moves tens of jobs a second, not thousands.
type EmbedCoursesJob struct {
	CourseIDs []string `json:"course_ids"`
}

// Kind names the job.
func (EmbedCoursesJob) Kind() string { return "embed_courses" }

// EmbedReviewsJob asks for the vectors of these courses' reviews to be made anew.
type EmbedReviewsJob struct {
	CourseIDs []string `json:"course_ids"`
}

// Kind names the job.
func (EmbedReviewsJob) Kind() string { return "embed_reviews" }

// MaxEmbedBatch bounds the courses in one EmbedCoursesJob or EmbedReviewsJob.
const MaxEmbedBatch = 500

// TrainEmbedderJob asks for a new local embedder, trained on the catalogue as
// it is, and for the courses to be embedded with it.
type TrainEmbedderJob struct {
	Reason string `json:"reason"`
}

// Kind names the job.
func (TrainEmbedderJob) Kind() string { return "train_embedder" }
