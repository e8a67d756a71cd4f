package experiment

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lectern-dev/lectern"
)

// HeldShare is a share of everybody that was held out since a time.
type HeldShare struct {
	From  time.Time `json:"from"` // when a server noted it: of the first one nobody knows since when it was so
	Share float64   `json:"share"`
}

// heldShares is how the holdout went, as it is stored.
type heldShares struct {
	Shares []HeldShare `json:"shares"` // oldest first
}

const (
	heldKey   = ".holdout" // beside experiments, none of which can be called so
	maxShares = 200        // kept
)

// NoteHoldout keeps since when the holdout is what it is here, so that it is known of a
// time whether it changed within. Whoever leads calls it.
func (s *Service) NoteHoldout(ctx context.Context) error {
	for try := 1; ; try++ {
		held, revision, err := s.heldShares(ctx)
		if err != nil {
			return err
		}
		share := s.o.Config.Holdout
		if n := len(held.Shares); n > 0 && held.Shares[n-1].Share == share {
			return nil
		}
		now := lectern.Timestamp(s.o.Clock())
		held.Shares = append(held.Shares, HeldShare{From: now, Share: share})
		held.Shares = held.Shares[max(0, len(held.Shares)-maxShares):]
		body, err := json.Marshal(held)
		if err != nil {
			return err
		}
		err = s.o.Looks.PutExperimentLook(ctx, lectern.ExperimentLook{Experiment: heldKey, Revision: revision, Body: body, At: now})
		if lectern.ErrorCode(err) != lectern.CodePrecondition || try == tries {
			return err
		}
	}
}

func (s *Service) heldShares(ctx context.Context) (out heldShares, revision int64, err error) {
	l, err := s.o.Looks.ExperimentLook(ctx, heldKey)
	if err == nil && l.Revision > 0 {
		err = json.Unmarshal(l.Body, &out)
	}
	if err != nil {
		return out, 0, fmt.Errorf("read since when the holdout is as it is: %w", err)
	}
	return out, l.Revision, nil
}

// holding is the holdout of some days.
type holding struct {
	share   float64
	since   int   // day on which it came; 0 is not known
	before  int   // days before since on which nobody was held out, as far as is known
	changed []int // days, within those asked about, on which it changed
}

// holdingOf is the holdout from one day to another: the one at their end, and whether it
// was another one meanwhile.
func (s *Service) holdingOf(shares []HeldShare, from, to int) holding {
	out := holding{share: s.o.Config.Holdout}
	at := -1
	for i := range shares {
		if s.o.Day(shares[i].From) <= to {
			at = i
		}
	}
	switch {
	case len(shares) == 0:
		return out
	case at < 0: // before anything was noted
		out.share = shares[0].Share
		return out
	}
	if to < s.o.Day(s.o.Clock()) {
		out.share = shares[at].Share
	}
	for i := 1; i <= at; i++ {
		if day := s.o.Day(shares[i].From); day >= from {
			out.changed = append(out.changed, day)
		}
	}
	if at > 0 && shares[at].Share == out.share {
		out.since = s.o.Day(shares[at].From)
		if shares[at-1].Share == 0 {
			out.before = out.since - s.o.Day(shares[at-1].From)
		}
	}
	return out
}
