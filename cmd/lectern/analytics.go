package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/analytics"
	"github.com/lectern-dev/lectern/api"
	"github.com/lectern-dev/lectern/experiment"
	"github.com/lectern-dev/lectern/internal/lease"
)

// newAnalytics wires what keeps the metrics; holder is "" where it does not run.
func newAnalytics(env environment, holder string) (*analytics.Keeper, error) {
	return analytics.New(analytics.Options{
		Store: env.store, Config: env.config.Analytics, Clock: lectern.SystemClock, Logger: env.log,
		Lease: lease.New(env.store, analytics.LeaseName, holder, env.log),
	})
}

// newGoals wires what answers with metrics and goals.
func newGoals(env environment) (*analytics.Reader, analytics.GoalKeeper, error) {
	r, err := analytics.NewReader(env.store, env.config.Analytics, lectern.SystemClock)
	return r, analytics.GoalKeeper{Settings: env.store, Reader: r}, err
}

// What keeps the metrics reports, read at each scrape.
var ( // descriptions never change
	descMetricsCounted = prometheus.NewDesc("lectern_metrics_counted_total",
		"Events, lists and pieces of feedback that this process has counted.", nil, nil)
	descMetricsFailures = prometheus.NewDesc("lectern_metrics_failures_total",
		"Steps of the metrics that failed.", nil, nil)
	descMetricsLag = prometheus.NewDesc("lectern_metrics_lag_seconds",
		"Time since everything in the logs was counted; only where this process counts.", nil, nil)
	descMetricsChanged = prometheus.NewDesc("lectern_metrics_settings_changed",
		"1 while metrics are counted by other settings than those in use, until they are rebuilt.", nil, nil)
)

type analyticsCollector struct{ engine *engine }

var _ prometheus.Collector = (*analyticsCollector)(nil)

// Describe implements prometheus.Collector.
func (*analyticsCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descMetricsCounted, descMetricsFailures, descMetricsLag, descMetricsChanged} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *analyticsCollector) Collect(out chan<- prometheus.Metric) {
	s := c.engine.analytics.Stats()
	send := func(d *prometheus.Desc, kind prometheus.ValueType, v float64) {
		out <- prometheus.MustNewConstMetric(d, kind, v)
	}
	send(descMetricsCounted, prometheus.CounterValue, float64(s.Counted))
	send(descMetricsFailures, prometheus.CounterValue, float64(s.Failures))
	if s.Leading {
		since := s.CaughtUp
		if since.IsZero() {
			since = s.Since
		}
		send(descMetricsLag, prometheus.GaugeValue, max(0, lectern.SystemClock().Sub(since).Seconds()))
	}
	changed := 0.0
	if s.Changed {
		changed = 1
	}
	send(descMetricsChanged, prometheus.GaugeValue, changed)
}

func newMetricsCommand() *cobra.Command {
	names := []string{"from", "to", "metrics", "by", "surface", "row", "segment", "position", "experiment", "arm", "compare"}
	given := map[string]*string{}
	var format string
	cmd := parent("metrics", "Show how the platform does, by day, surface, row, arm, segment or position",
		newMetricsRebuildCommand(), newMetricsGoalsCommand())
	cmd.Long = cmd.Short + `.
Without a command it prints metrics of the last 28 days. docs/metrics.md defines each one.`
	cmd.Example = `  lectern metrics --by surface --compare previous
  lectern metrics --metrics ctr,completion_rate --by day --from 2026-03-01 --format csv
  lectern metrics rebuild`
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !slices.Contains([]string{"table", "json", "ndjson", "csv"}, format) {
			return usageError{fmt.Errorf("--format: %q is not allowed; table, json, ndjson and csv are", format)}
		}
		q, err := api.MetricsRequest(func(name string) string { return *given[name] })
		if err != nil {
			return err
		}
		if q.Experiment != "" {
			if err := knownArm(cmd, &q); err != nil {
				return err
			}
		}
		return withExistingStore(cmd, func(env environment) error {
			reader, _, err := newGoals(env)
			if err != nil {
				return err
			}
			r, err := reader.Report(cmd.Context(), q)
			if err != nil {
				return err
			}
			return printMetrics(cmd.OutOrStdout(), r, format)
		})
	}
	says := map[string]string{
		"from": "first day, such as 2026-03-01", "to": "last day; today when not given",
		"metrics": "names, separated by commas", "by": "up to two of day, surface, row, arm, segment, position, explored",
		"surface": "one surface, or none", "row": "one row of home pages, or none", "segment": "one segment, or none",
		"position": "0 to 20, beyond or none", "experiment": "lists of one experiment's arms", "arm": "lists of one arm of the experiment",
		"compare": "previous: with as many days before",
	}
	for _, name := range names {
		given[name] = cmd.Flags().String(name, "", says[name])
	}
	cmd.Flags().StringVar(&format, "format", "table", "table, json, ndjson or csv")
	return withConfigFlags(cmd)
}

// knownArm refuses an experiment, or an arm of one, that nobody has made.
func knownArm(cmd *cobra.Command, q *analytics.Request) error {
	return withExperiments(cmd, func(ctx context.Context, s *experiment.Service, _ environment) error {
		list, err := s.List(ctx, "")
		if err != nil {
			return err
		}
		return api.KnownArm(list, q)
	})
}

func printMetrics(w io.Writer, r *analytics.Report, format string) error {
	switch format {
	case "json":
		return printJSON(w, r)
	case "ndjson":
		return r.WriteNDJSON(w)
	case "csv":
		return r.WriteCSV(w)
	}
	fmt.Fprintf(w, "%s to %s, days of %s\n", r.From, r.To, r.TimeZone)
	if r.PreviousFrom != "" {
		fmt.Fprintf(w, "compared with %s to %s\n", r.PreviousFrom, r.PreviousTo)
	}
	for _, n := range r.Notes {
		fmt.Fprintln(w, n)
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, row := range r.Rows {
		fmt.Fprintln(t)
		if len(row.Keys) > 0 {
			var keys []string
			for _, k := range slices.Sorted(maps.Keys(row.Keys)) {
				keys = append(keys, fmt.Sprintf("%s %v", k, row.Keys[k]))
			}
			fmt.Fprintln(t, strings.Join(keys, ", "))
		}
		for i := range r.Metrics {
			m := &r.Metrics[i]
			v := row.Values[m.Name]
			line := "  " + m.Title + "\t" + inUnit(v.Value, m.Unit)
			if v.Low != nil && v.High != nil {
				line += fmt.Sprintf("\t[%s, %s]", inUnit(v.Low, m.Unit), inUnit(v.High, m.Unit))
			} else {
				line += "\t"
			}
			if c := v.Compared; c != nil {
				line += "\tbefore " + inUnit(c.Previous, m.Unit)
				if c.Relative != nil {
					line += fmt.Sprintf("\t%+.1f %%", 100**c.Relative)
				}
			}
			fmt.Fprintln(t, line)
		}
	}
	return t.Flush()
}

func inUnit(x *float64, unit string) string {
	switch {
	case x == nil:
		return "–"
	case unit == analytics.UnitShare:
		return fmt.Sprintf("%.2f %%", 100**x)
	case unit == analytics.UnitCount:
		return strconv.FormatFloat(*x, 'f', -1, 64)
	case unit == analytics.UnitHours:
		return fmt.Sprintf("%.2f h", *x)
	}
	return fmt.Sprintf("%.3f", *x)
}

func newMetricsRebuildCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "rebuild", Short: "Count all metrics anew from the logs", Args: noArgs,
		Long: `Counts events, lists and feedback anew, by the settings as they are now: after a change
of analytics.time_zone, for example. A server may be running, and answers with the sums as
they were until all is counted; then the new ones take their place at once. What the logs no longer hold is not counted again: what erased learners did, and lists beyond their
retention that nothing cites.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withExistingStore(cmd, func(env environment) error {
				k, err := newAnalytics(env, "")
				if err != nil {
					return err
				}
				start := time.Now()
				shown := start
				n, err := k.Rebuild(cmd.Context(), func(n int) {
					if time.Since(shown) > 5*time.Second {
						shown = time.Now()
						fmt.Fprintf(cmd.ErrOrStderr(), "%d counted, %.0f a second\n", n, float64(n)/time.Since(start).Seconds())
					}
				})
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%d events, lists and pieces of feedback counted in %s, by days of %s\n",
					n, time.Since(start).Round(time.Millisecond), env.config.Analytics.TimeZone)
				return nil
			})
		},
	}
	return withConfigFlags(cmd)
}

func newMetricsGoalsCommand() *cobra.Command {
	var file, comment string
	var weeks int
	var asJSON bool
	cmd := &cobra.Command{
		Use: "goals", Short: "Show how far the goals of the platform are reached, or set them", Args: noArgs,
		Example: `  lectern metrics goals --weeks 8
  echo '{"satisfaction": {"baseline": 0.7, "target": 0.8}}' | lectern metrics goals --set -`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withExistingStore(cmd, func(env environment) error {
				_, goals, err := newGoals(env)
				if err != nil {
					return err
				}
				if file != "" {
					var body []byte
					if file == "-" {
						body, err = io.ReadAll(cmd.InOrStdin())
					} else {
						body, err = os.ReadFile(file)
					}
					if err != nil {
						return err
					}
					if _, err := goals.Put(cmd.Context(), body, "", authorCLI, comment); err != nil {
						return err
					}
				}
				r, err := goals.Report(cmd.Context(), weeks)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), r)
				}
				return printGoals(cmd.OutOrStdout(), r)
			})
		},
	}
	cmd.Flags().StringVar(&file, "set", "", "file with the goals as JSON, - for standard input")
	cmd.Flags().StringVar(&comment, "comment", "", "why, for the history")
	cmd.Flags().IntVar(&weeks, "weeks", 12, "weeks of the trend")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what GET /v1/admin/metrics/goals answers")
	return withConfigFlags(cmd)
}

func printGoals(w io.Writer, r *analytics.GoalsReport) error {
	fmt.Fprintf(w, "As of %s, by days of %s; goals in version %d\n\n", r.Today, r.TimeZone, r.Version)
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "GOAL\tNOW\tBASELINE\tTARGET\tREACHED\tBY WEEK")
	for i := range r.Reports {
		g := &r.Reports[i]
		var weeks []string
		for _, v := range g.Weeks {
			weeks = append(weeks, inUnit(v.Value, g.Unit))
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", g.Title, inUnit(g.Current, g.Unit), inUnit(g.Baseline, g.Unit), inUnit(g.Target, g.Unit),
			inUnit(g.Reached, analytics.UnitShare), strings.Join(weeks, "  "))
	}
	return t.Flush()
}
