package simulate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/lectern-dev/lectern"
)

// check refuses a store with courses that are not the world's: what is true of them is not
// known.
func (s *HTTPSite) check(ctx context.Context, w *World) error {
	ours := make(map[string]lectern.Course, len(w.Courses)+len(w.New))
	for _, courses := range [][]lectern.Course{w.Courses, w.New} {
		for _, c := range courses {
			ours[c.ID] = c
		}
	}
	q := url.Values{"limit": {"100"}}
	for {
		var page struct {
			Courses []struct {
				ID          string `json:"id"`
				Title       string `json:"title"`
				Description string `json:"description"`
			} `json:"courses"`
			Next string `json:"next_cursor"`
		}
		if err := s.call(ctx, http.MethodGet, "/v1/courses?"+q.Encode(), "", nil, &page); err != nil {
			return err
		}
		for _, c := range page.Courses {
			if our, ok := ours[c.ID]; !ok || our.Title != c.Title || our.Description != c.Description {
				return lectern.Errorf(lectern.CodeConflict, "the store of %s holds the course %s, which is not of this platform: "+
					"visit an empty store, or one that the same --seed and sizes filled", s.URL, c.ID)
			}
		}
		if page.Next == "" {
			return nil
		}
		q.Set("cursor", page.Next)
	}
}

// mostWait is how long a server may take to make lists of what it was sent.
const mostWait = 10 * time.Minute

// await waits until the server makes lists.
func (s *HTTPSite) await(ctx context.Context) error {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	late := time.NewTimer(mostWait)
	defer late.Stop()
	for {
		var body listBody
		err := s.call(ctx, http.MethodGet, "/v1/recommendations?limit=1", "", nil, &body)
		if err == nil && len(body.Items) > 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-late.C:
			return errors.Join(fmt.Errorf("%s makes no lists %s after it was sent its platform", s.URL, mostWait), err)
		case <-tick.C:
		}
	}
}
