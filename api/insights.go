package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/lectern-dev/lectern"
)

// SearchInsights say what was searched for in a period, and what came of it. No
// part of them names a learner.
type SearchInsights struct {
	From, To    time.Time
	Searches    int                     // first pages of searches
	Queries     int                     // distinct, by their folded form
	Zero        int                     // searches that found nothing
	Opened      int                     // searches of which something was opened
	Partial     bool                    // there were more distinct queries than are counted in the totals
	Top         []lectern.SearchCount   // most searches first
	ZeroResults []lectern.SearchCount   // most searches without a result first
	LowClick    []lectern.SearchCount   // found something that nearly nobody opened
	Trending    []lectern.SearchCount   // searched for more than before
	Corrections []lectern.Reformulation // followed by a query of which something was opened
}

// InsightsReader makes SearchInsights of the days before now, with lists of at
// most limit queries.
type InsightsReader func(ctx context.Context, days, limit int) (SearchInsights, error)

const (
	defaultInsightDays  = 30
	defaultInsightLimit = 50
)

// InsightsDocument is how SearchInsights are written as JSON.
func InsightsDocument(r SearchInsights) any {
	out := insightsDTO{
		From: r.From, To: r.To,
		Totals: insightTotalsDTO{
			Searches: r.Searches, Queries: r.Queries, Zero: r.Zero, Opened: r.Opened,
			ZeroShare: share(r.Zero, r.Searches), OpenRate: share(r.Opened, r.Searches), Partial: r.Partial,
		},
		Top: queriesOf(r.Top, false), ZeroResults: queriesOf(r.ZeroResults, false),
		LowClick: queriesOf(r.LowClick, false), Trending: queriesOf(r.Trending, true),
		Corrections: make([]correctionDTO, len(r.Corrections)),
	}
	for i, c := range r.Corrections {
		out.Corrections[i] = correctionDTO{From: c.From, To: c.To, Times: c.Count, Learners: c.Learners, Opened: c.Opened, FromZero: c.FromZero}
	}
	return out
}

type insightsDTO struct {
	From        time.Time         `json:"from"`
	To          time.Time         `json:"to"`
	Totals      insightTotalsDTO  `json:"totals"`
	Top         []insightQueryDTO `json:"top"`
	ZeroResults []insightQueryDTO `json:"zero_results"`
	LowClick    []insightQueryDTO `json:"low_click"`
	Trending    []insightQueryDTO `json:"trending"`
	Corrections []correctionDTO   `json:"corrections"`
}

type insightTotalsDTO struct {
	Searches  int     `json:"searches"`
	Queries   int     `json:"queries"`
	Zero      int     `json:"zero"`
	Opened    int     `json:"opened"`
	ZeroShare float64 `json:"zero_share"`
	OpenRate  float64 `json:"open_rate"`
	Partial   bool    `json:"partial"`
}

type insightQueryDTO struct {
	Query    string    `json:"query"`
	Searches int       `json:"searches"`
	Zero     int       `json:"zero"`
	Opened   int       `json:"opened"`
	Openers  int       `json:"openers"`
	OpenRate float64   `json:"open_rate"`
	Position *float64  `json:"mean_position"`
	Results  int       `json:"results"`
	Before   *int      `json:"before,omitempty"`
	Last     time.Time `json:"last"`
}

type correctionDTO struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Times    int    `json:"times"`
	Learners int    `json:"learners"`
	Opened   int    `json:"opened"`
	FromZero int    `json:"from_zero"`
}

func queriesOf(counts []lectern.SearchCount, compared bool) []insightQueryDTO {
	out := make([]insightQueryDTO, len(counts))
	for i, c := range counts {
		out[i] = insightQueryDTO{
			Query: c.Query, Searches: c.Searches, Zero: c.Zero, Opened: c.Opened, Openers: c.Openers,
			OpenRate: share(c.Opened, c.Searches), Results: c.Results, Last: c.Last,
		}
		if c.Opened > 0 { // else there is no position
			out[i].Position = &counts[i].Position
		}
		if compared {
			out[i].Before = &counts[i].Before
		}
	}
	return out
}

// share is part of whole, 0 where there is no whole.
func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// insights answers what an administrator asks of the search log.
func (s *Server) insights(in *request) error {
	if s.deps.Insights == nil {
		return lectern.Errorf(lectern.CodeUnavailable, "this server keeps no search log")
	}
	r, err := s.deps.Insights(in.ctx(), intParam(in, "days", defaultInsightDays), intParam(in, "limit", defaultInsightLimit))
	if err != nil {
		return err
	}
	in.Response().Header().Set("Cache-Control", "private, no-store")
	return respond(in, http.StatusOK, InsightsDocument(r))
}

// intParam reads a number that the description has checked, or its default.
func intParam(in *request, name string, otherwise int) int {
	n, err := strconv.Atoi(in.QueryParam(name))
	if err != nil { // not given
		return otherwise
	}
	return n
}
