package homes

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Platform says what was judged on.
type Platform struct {
	Seed     uint64 `json:"seed"`
	Courses  int    `json:"courses"`
	Learners int    `json:"learners"`
	Events   int    `json:"events"` // before the cut
	Cut      string `json:"cut"`    // what was before makes profiles, statistics and models
	Model    string `json:"model"`  // that selection chose, "" for none
}

// Report is all that was judged.
type Report struct {
	Platform   Platform    `json:"platform"`
	Lists      Lists       `json:"lists"`
	Dismissals []Dismissed `json:"dismissals"`
	Successors Successors  `json:"successors"`
	Cold       []Cold      `json:"cold_starts"`
	Exposure   []Exposure  `json:"new_courses"`
}

// Write writes the report as tables, each with a header: the first two columns name a
// line, the others are figures.
func (r Report) Write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	p := r.Platform
	fmt.Fprintln(t, "platform\tcut\tseed\tcourses\tlearners\tevents\tmodel")
	fmt.Fprintf(t, "demo\t%s\t%d\t%d\t%d\t%d\t%s\n\n", p.Cut, p.Seed, p.Courses, p.Learners, p.Events, p.Model)

	fmt.Fprintln(t, "lists\tkind\tlearners\trelevance@10\tndcg@10\town_topics\tfound@10")
	for _, l := range r.Lists.Ways {
		fmt.Fprintf(t, "%s\t%s\t%d\t%.4f\t%.4f\t%.3f\t%.3f\n", l.Name, l.Kind, r.Lists.Learners, l.Relevance, l.NDCG, l.Topics, l.Found)
	}
	fmt.Fprintln(t, "\ntwo\tinterests\tlearners\tserved\tpopularity")
	for _, b := range r.Lists.Both {
		fmt.Fprintf(t, "both\t%s\t%d\t%.3f\t%.3f\n", b.Who, b.Learners, b.Served, b.Popularity)
	}
	fmt.Fprintln(t, "\ndismissed\ttimes\tlearners\ttopic_gone\tcourse_gone\tothers_stay")
	for _, d := range r.Dismissals {
		fmt.Fprintf(t, "%s\t%d\t%d\t%.3f\t%.3f\t%.3f\n", d.Topic, d.Times, d.Learners, d.Gone, d.Course, d.Others)
	}
	s := r.Successors
	fmt.Fprintln(t, "\nbeginner\tcourse\tlearners\tsuccessor\tof_which_have_twin\ttwin_above")
	fmt.Fprintf(t, "before\tlist\t%d\t%.3f\t-\t-\n", s.Completed, s.BeforeShows)
	fmt.Fprintf(t, "completed\tnext_row\t%d\t%.3f\t%d\t%.3f\n", s.Completed, s.NextFirst, s.WithTwin, s.NextTwin)
	fmt.Fprintf(t, "completed\tlist\t%d\t%.3f\t%d\t%.3f\n", s.Completed, s.ListShows, s.WithTwin, s.ListTwin)
	fmt.Fprintf(t, "completed\thome_page\t%d\t%.3f\t-\t-\n", s.Completed, s.PageShows)

	fmt.Fprintln(t, "\nnew_learner\tway\tlearners\tlength\trelevance@10\tndcg@10\town_topics\tinterests_shown")
	for _, c := range r.Cold {
		fmt.Fprintf(t, "%s\t%s\t%d\t%.1f\t%.4f\t%.4f\t%.3f\t%.3f\n", c.Knows, c.Way, c.Learners, c.Length, c.Relevance, c.NDCG, c.Topics, c.Interests)
	}
	for _, x := range r.Exposure {
		x.write(t)
	}
	return t.Flush()
}

func (x Exposure) write(w io.Writer) {
	fmt.Fprintln(w, "\nnew_courses\tperiod\tcourses\tvisitors\tmatched\tshown\tseen\tratio\tfit\tmatched_saw\treached\tclicks\tenrols")
	line := func(kind string, p Period) {
		fmt.Fprintf(w, "%s\t%s_%d\t%d\t%d\t%d\t%.2f\t%.2f\t%.2f\t%.3f\t%.3f\t%.3f\t%d\t%d\n", x.Variant, kind, p.Number,
			x.Courses, x.Visitors, x.Matched, p.Shown, p.Seen, p.Ratio, p.Fit, p.Matched, p.Reached, p.Clicks, p.Enrols)
	}
	for _, p := range x.Days {
		line("day", p)
	}
	for _, p := range x.Weeks {
		line("week", p)
	}
}
