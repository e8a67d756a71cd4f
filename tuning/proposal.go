package tuning

import (
	"time"

	"github.com/lectern-dev/lectern"
)

// Proposal is what the log says about weights.
type Proposal struct {
	Surface lectern.Surface `json:"surface"`
	Row     lectern.Row     `json:"row,omitempty"`
	Method  string          `json:"method"`
	Since   time.Time       `json:"since"`
	Until   time.Time       `json:"until"`
	Split   time.Time       `json:"split"` // lists made from here on measured the gain; those before were learnt from
	Log     Log             `json:"log"`

	Weights  []Weight `json:"weights"`
	NDCG     Gain     `json:"ndcg"`
	Position Position `json:"position"`
	Warnings []string `json:"warnings"`
	TookMS   int64    `json:"took_ms"`
}

// Log counts what was read.
type Log struct {
	Read       int  `json:"read"`        // lists of the time that events cite
	Other      int  `json:"other"`       // of another surface or row, or in an order that was asked for
	NoChoice   int  `json:"no_choice"`   // in which nothing was preferred to anything
	OtherTerms int  `json:"other_terms"` // that lack a term which most lists have
	Train      int  `json:"train"`       // learnt from
	Test       int  `json:"test"`        // measured on
	People     int  `json:"people"`      // behind both
	Pairs      int  `json:"pairs"`       // of places one of which was preferred, in the lists learnt from
	Viewed     int  `json:"viewed"`      // lists that say what came into view
	Versions   int  `json:"versions"`    // settings that made these lists
	Partial    bool `json:"partial"`     // there are more lists than were read
}

// Weight is one term's weight, as a share of all.
type Weight struct {
	Term     string   `json:"term"`
	Current  float64  `json:"current"`
	Proposed float64  `json:"proposed"`
	Low      *float64 `json:"low,omitempty"` // 95 % interval of what is proposed; nil where it is kept
	High     *float64 `json:"high,omitempty"`
	// Kept says why the current weight stays; "" where it was learnt.
	Kept string `json:"kept,omitempty"`
}

// Gain is nDCG on the newer lists, with each choice weighed by how seldom its place is
// looked at.
type Gain struct {
	K        int     `json:"k"`
	Current  float64 `json:"current"`
	Proposed float64 `json:"proposed"`
	Gain     float64 `json:"gain"`
	Low      float64 `json:"low"` // 95 % interval of the gain, paired by person
	High     float64 `json:"high"`
}

// Position says how it was reckoned with that lower places are seldom looked at.
type Position struct {
	Examined   string    `json:"examined"`   // views, cascade, or both: how it is known what was looked at
	Handling   string    `json:"handling"`   // in a sentence
	Propensity []float64 `json:"propensity"` // by place, how often it is looked at, against the first
}
