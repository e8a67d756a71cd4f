// Package slate reads the beginning of recorded lists, whose end is often long and
// seldom wanted.
package slate

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/lectern-dev/lectern"
)

// item is what is read of a place.
type item struct {
	CourseID   string         `json:"course_id"`
	Score      float64        `json:"score"`
	Propensity float64        `json:"propensity"`
	Terms      []float64      `json:"terms"`
	Adjusted   []lectern.Term `json:"adjusted"`
	Pinned     string         `json:"pinned"`

	PropensityError float64 `json:"propensity_error"`
	Team            int     `json:"team"`
}

// Head reads a recorded ranking with its first n items (lectern.FirstPage: those of its
// first page), each without sources, reasons and duplicates, and looks at nothing behind
// them: items come last in a record.
func Head(body []byte, n int) (lectern.Ranking, error) {
	var r lectern.Ranking
	dec := json.NewDecoder(bytes.NewReader(body))
	if err := expect(dec, '{'); err != nil {
		return r, err
	}
	into := map[string]any{
		"id": &r.ID, "surface": &r.Surface, "row": &r.Row, "query": &r.Query, "sort": &r.Sort, "filtered": &r.Filtered,
		"course_id": &r.CourseID, "request_hash": &r.RequestHash, "created_at": &r.CreatedAt,
		"config_version": &r.ConfigVersion, "model": &r.Model, "degraded": &r.Degraded, "weights": &r.Weights,
		"segment": &r.Segment, "served": &r.Served, "arms": &r.Arms, "exploration": &r.Exploration,
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return r, err
		}
		name, _ := key.(string)
		if name == "items" {
			if n < 0 {
				n = r.Served
			}
			r.Items, err = items(dec, n)
			return r, err
		}
		var skipped json.RawMessage
		to, known := into[name]
		if !known {
			to = &skipped
		}
		if err := dec.Decode(to); err != nil {
			return r, fmt.Errorf("%s: %w", name, err)
		}
	}
	return r, nil
}

func expect(dec *json.Decoder, want json.Delim) error {
	got, err := dec.Token()
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("found %v where %v begins", got, want)
	}
	return nil
}

func items(dec *json.Decoder, n int) ([]lectern.RankedItem, error) {
	got, err := dec.Token()
	if err != nil || got == nil { // null: no items
		return nil, err
	}
	if got != json.Delim('[') {
		return nil, fmt.Errorf("items: found %v", got)
	}
	var out []lectern.RankedItem
	for dec.More() && len(out) < n {
		var it item
		if err := dec.Decode(&it); err != nil {
			return nil, fmt.Errorf("items[%d]: %w", len(out), err)
		}
		out = append(out, lectern.RankedItem{
			CourseID: it.CourseID, Score: it.Score, Propensity: it.Propensity,
			Terms: it.Terms, Adjusted: it.Adjusted, Pinned: it.Pinned,
			PropensityError: it.PropensityError, Team: it.Team,
		})
	}
	return out, nil
}
