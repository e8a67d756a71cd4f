package lectern

import (
	"context"
	"encoding/json"
	"time"
)

// ExperimentState says where an experiment stands.
type ExperimentState string

// The states of an experiment, in their order.
const (
	ExperimentDraft   ExperimentState = "draft"   // may be edited and deleted
	ExperimentRunning ExperimentState = "running" // people are in it
	ExperimentStopped ExperimentState = "stopped" // kept with its results
)

// Experiment is one experiment as it is stored.
type Experiment struct {
	ID        string
	Version   int64 // from 1, rises with every change
	State     ExperimentState
	Body      json.RawMessage // its definition, a JSON object: see package experiment
	Holds     []ArtefactRef   // artefacts that are not pruned while it is kept so
	CreatedAt time.Time
	UpdatedAt time.Time
}

// ArtefactRef names one version of an artefact.
type ArtefactRef struct {
	Kind    string
	Version int64
}

// ExperimentChange is an entry of an experiment's history.
type ExperimentChange struct {
	Seq        int64 // rises with every change of any experiment
	Experiment string
	Version    int64  // that it led to
	Action     string // what was done: created, edited, started, ramped, stopped, deleted
	Author     string // id of the API key, or "cli"
	Comment    string
	At         time.Time
	Body       json.RawMessage // as it was after the change
}

// Exposure says since when a person is in an experiment.
type Exposure struct {
	Experiment string
	Arm        string    // of the first list
	Crossed    bool      // met another arm since
	At         time.Time // when the first list was made
	RankingID  string    // that list
	Segment    Segment   // at that time
}

// ExperimentStore keeps experiments and who was exposed to them. Changes of all of
// them take turns: each starts from a revision of the whole.
type ExperimentStore interface {
	// Experiments returns all of them, by id, and the revision, 0 at first.
	Experiments(ctx context.Context) (all []Experiment, revision int64, err error)
	// ExperimentRevision returns only the revision, cheaply.
	ExperimentRevision(ctx context.Context) (int64, error)
	// PutExperiment stores an experiment, in place of the one with its id, with its
	// history, if the revision is still the one given. It returns the new revision.
	// Errors: CodePrecondition when it has moved on; CodeNotFound for an artefact to be
	// held that does not exist. Nothing is stored then.
	PutExperiment(ctx context.Context, e Experiment, c ExperimentChange, revision int64) (int64, error)
	// DeleteExperiment removes one; its history and exposures stay. Errors:
	// CodePrecondition, CodeNotFound.
	DeleteExperiment(ctx context.Context, c ExperimentChange, revision int64) (int64, error)
	// ExperimentChanges returns the history of one, oldest first.
	ExperimentChanges(ctx context.Context, id string) ([]ExperimentChange, error)
	// Exposures returns what a learner or visitor is in, by experiment; of one whom
	// nobody knows nothing. PutRankings writes them: the arms of a list of somebody
	// who is known.
	Exposures(ctx context.Context, ref LearnerRef) ([]Exposure, error)
}

// ExperimentLook is what looks at an experiment have shown so far.
type ExperimentLook struct {
	Experiment string
	Revision   int64           // rises with every change; 0 is never stored
	Body       json.RawMessage // a JSON object: see package experiment
	At         time.Time       // of the latest look that is kept
}

// ExperimentLooks keeps what looks at experiments have shown.
type ExperimentLooks interface {
	// ExperimentLook returns that of an experiment; of revision 0 where there is none.
	ExperimentLook(ctx context.Context, experiment string) (ExperimentLook, error)
	// PutExperimentLook stores one in place of the revision that it names, as the next
	// one. Errors: CodePrecondition where that has moved on, with nothing stored.
	PutExperimentLook(ctx context.Context, l ExperimentLook) error
}

// ExperimentWatcher is an ExperimentStore that says when experiments may have
// changed. It is a hint: whoever must not miss a change polls as well.
type ExperimentWatcher interface {
	// WatchExperiments calls changed after every change, from any process, until ctx
	// ends. Calls may come late, twice, or not at all while the store is away.
	WatchExperiments(ctx context.Context, changed func()) error
}

// PersonDays is what one person in an experiment did.
type PersonDays struct {
	Person   int64
	Exposure Exposure
	Days     []DayTally // rising
}

// ActedList is a list of an experiment that its reader acted on.
type ActedList struct {
	Person  int64
	Ranking Ranking  // without its learner
	Courses []string // that were clicked, saved or enrolled in from it
}

// ListedPerson is somebody for whom lists were made, and what they did.
type ListedPerson struct {
	PersonDays // the exposure is the first list, in no experiment

	Learner   LearnerRef // by whose id they fall into groups: the learner's, an anonymous one where there is none
	Visitors  []string   // further anonymous ids, of devices that they signed in on
	Protected bool       // nothing is tried out on them now: a minor, or without the consent to it
	Tried     bool       // the first list explored, or was part of an experiment
}

// ExperimentLog reads what people in experiments did.
type ExperimentLog interface {
	// PersonDays calls f for everybody who was exposed, with their days from about so
	// many before the exposure on: two more, since the store knows no time zone.
	PersonDays(ctx context.Context, experiment string, before int, f func(PersonDays) error) error
	// DaySums calls f for everybody who did something on the days from split up to to,
	// with the sum of it, and of what they did on the days from one on up to split.
	DaySums(ctx context.Context, from, split, to int, f func(before, after Tally) error) error
	// ListedPeople calls f for everybody who is known and for whom a list was recorded from
	// one time on and below another, with what they did on the days from one up to another.
	ListedPeople(ctx context.Context, from, to time.Time, first, last int, f func(ListedPerson) error) error
	// ActedLists calls f for every list of an experiment that was acted on by whom it
	// was made for, by person and then by time; those of people who crossed are left out.
	ActedLists(ctx context.Context, experiment string, f func(ActedList) error) error
}
