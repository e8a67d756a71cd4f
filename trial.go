package lectern

import "time"

// ArmRef names an arm of an experiment.
type ArmRef struct {
	Experiment string `json:"experiment"`
	Arm        string `json:"arm"`
}

// AssignRequest is what decides which experiments a request takes part in.
type AssignRequest struct {
	Learner       LearnerRef
	Surface       Surface
	Row           Row // "" is the list, or the whole page
	Segment       Segment
	At            time.Time
	Languages     []string // as LanguageKeys
	Region        string   // folded
	Organisations []string // folded
	NoModel       bool     // no collaborative model takes part in the list, whichever is in use
}

// Assignment is what experiments change about a request.
type Assignment struct {
	Arms []ArmRef // that it falls into; recorded with its lists
	// Settings is the version of the rerank settings, nil the one in use; 0 is the
	// configuration file's.
	Settings *int64
	Model    *int64 // version of the collaborative model, nil the one in use
	Policy   string // of exploration, "" the one in use
	Plain    bool   // held out: no exploration
	// Interleaved are two versions of the rerank settings whose lists are to be drafted
	// into one; nil is none.
	Interleaved *[2]int64
}

// Assigner says what experiments change about a request. The same request gets the
// same answer on every replica. It is safe for concurrent use.
type Assigner interface {
	Assign(req *AssignRequest) Assignment
}

// Tally counts what people did, or one person in one day did.
type Tally struct {
	Lists       float64 `json:"lists"`       // lists made, of which the first page was served
	ListClicks  float64 `json:"list_clicks"` // of the lists of the day: something of them was clicked
	Impressions float64 `json:"impressions"` // items seen: viewed, or at or above what was acted on
	Clicks      float64 `json:"clicks"`
	Saves       float64 `json:"saves"`
	Enrols      float64 `json:"enrols"`
	Progressed  float64 `json:"progressed"` // courses begun that were enrolled in, on the day of the first progress
	Completions float64 `json:"completions"`
	Drops       float64 `json:"drops"`
	Dismissals  float64 `json:"dismissals"`
	Hours       float64 `json:"hours"` // of study: progress × workload
	Ratings     float64 `json:"ratings"`
	Stars       float64 `json:"stars"`    // their sum
	Liked       float64 `json:"liked"`    // positive feedback
	Disliked    float64 `json:"disliked"` // negative feedback, reports aside
	Reports     float64 `json:"reports"`

	// Parts of what happened on the day, whenever they followed: never more than it was.
	Clicked   float64 `json:"clicked"`   // of the impressions of the day: clicked
	Enrolled  float64 `json:"enrolled"`  // of the impressions of the day: followed by an enrolment
	Dismissed float64 `json:"dismissed"` // of the impressions of the day: dismissed
	Reported  float64 `json:"reported"`  // of the impressions of the day: reported, and that stands
	Begun     float64 `json:"begun"`     // of the enrolments of the day: begun in time
	Completed float64 `json:"completed"` // of the enrolments of the day: completed in time
	Dropped   float64 `json:"dropped"`   // of the enrolments of the day: dropped in the time to complete them
}

// DayTally is the tally of one day.
type DayTally struct {
	Day int // days since 1970-01-01 in the platform's time zone
	Tally
}
