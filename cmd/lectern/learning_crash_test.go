package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/bandit"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/experiment/learn"
)

// learningKills is how often tests of rewards and metrics kill: each one counts, so they are
// held against more kills than other tests in a soak.
func learningKills() int {
	if os.Getenv("LECTERN_TEST_SOAK") != "" {
		return 50
	}
	return 3
}

// TestKillDuringLearning kills `lectern serve` between events, updates of rewards and
// writes of the posterior, and `lectern explore rebuild` too. In the end every reward
// has counted once, in the rewards as in the posterior.
func TestKillDuringLearning(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills processes; run without -short")
	}
	deployments(t, func(t *testing.T, d *deployment) {
		k := newLearningTest(t, d, learningKills())
		rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 13))
		for round := range k.rounds {
			s := d.start(k.args...)
			life := time.Duration(150+rng.IntN(900)) * time.Millisecond
			k.pump(s, round, func() {
				if round == 0 {
					k.wait()
				}
				time.Sleep(life)
				s.kill()
			})
			k.killRebuild(time.Duration(rng.IntN(400)) * time.Millisecond)
		}
		k.check()
	})
}

// TestDeposedProcessWritesLate stops the process that learns for longer than its lease
// holds, as a machine that swaps or sleeps does, and lets it go on beside its heir.
func TestDeposedProcessWritesLate(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and stops processes; run without -short")
	}
	t.Parallel()
	d := production(t)
	k := newLearningTest(t, d, 4)
	first, second := d.start(k.args...), d.start(k.args...)
	k.pump(first, 0, func() {
		k.wait()
		learns := func(s *testServer) bool { return s.metric("lectern_explore_learns") == "1" }
		eventually(t, 10*time.Second, "one of them learns", func() bool { return learns(first) != learns(second) })
		leader, heir := first, second
		if learns(second) {
			leader, heir = second, first
		}
		// In the middle of a step, as likely as not.
		stop(t, leader, syscall.SIGSTOP)
		k.pump(heir, 1, func() {
			eventually(t, 30*time.Second, "an heir", func() bool { return heir.metric("lectern_explore_learns") == "1" })
			time.Sleep(time.Second)
		})
		stop(t, leader, syscall.SIGCONT)
		k.pump(heir, 2, func() { time.Sleep(time.Second) })
	})
	first.kill()
	second.kill()
	k.check()
}

// TestLearningWhileAnotherBuildLeads has a process lead that knows nothing of learning,
// as one of an earlier release does while an upgrade is rolled out.
func TestLearningWhileAnotherBuildLeads(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	d := production(t)
	k := newLearningTest(t, d, 1)
	s := d.start(k.args...)
	d.withStore(func(store relational) {
		eventually(t, 30*time.Second, "another leader", func() bool {
			holder, err := store.LeaseHolder(t.Context(), leaseLeader)
			if err == nil {
				err = store.ReleaseLease(t.Context(), leaseLeader, holder)
			}
			if err != nil {
				t.Fatal(err)
			}
			held, err := store.AcquireLease(t.Context(), leaseLeader, "an earlier release", time.Hour)
			return held && err == nil
		})
	})
	eventually(t, 30*time.Second, "nobody of this release leads", func() bool { return s.metric("lectern_leader") == "0" })
	k.pump(s, 0, func() { k.wait(); time.Sleep(time.Second) })
	eventually(t, time.Minute, "everything learnt", func() bool {
		rewards, err := 0, error(nil)
		d.withStore(func(store relational) {
			var state lectern.LearningState
			if state, err = store.Learning(t.Context(), 0); err == nil {
				var p *bandit.Posterior
				if p, err = bandit.Decode(state.Posterior, bandit.F1()); err == nil {
					rewards = int(p.Rewards())
				}
			}
		})
		return err == nil && len(k.acked) > 0 && rewards >= len(k.acked)
	})
}

func stop(t *testing.T, s *testServer, signal os.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

const (
	learningClients = 3
	learningLists   = 120 // per client and round
	learningItems   = 8
)

// learningTest clicks every course of lists that explore, each once.
type learningTest struct {
	t      *testing.T
	d      *deployment
	key    string
	rounds int
	args   []string // of servers: they learn in many small steps, and publish each

	mu    sync.Mutex
	acked map[[2]string]bool // list and course
}

func newLearningTest(t *testing.T, d *deployment, rounds int) *learningTest {
	t.Helper()
	k := &learningTest{
		t: t, d: d, rounds: rounds, acked: map[[2]string]bool{},
		args: []string{"--learning.poll", "50ms", "--learning.batch", "3", "--learning.publish", "0s"},
	}
	k.key = d.key("server")
	d.withStore(func(store relational) {
		var people []lectern.Learner
		for i := range 5 {
			people = append(people, lectern.Learner{ID: fmt.Sprint("l", i)})
		}
		if _, err := store.PutLearners(t.Context(), people); err != nil {
			t.Fatal(err)
		}
		for round := range rounds {
			var lists []lectern.Ranking
			for client := range learningClients {
				for n := range learningLists {
					lists = append(lists, exploredList(listName(round, client, n), fmt.Sprint("l", n%5)))
				}
			}
			if err := store.PutRankings(t.Context(), lists); err != nil {
				t.Fatal(err)
			}
		}
	})
	return k
}

func listName(round, client, n int) string { return fmt.Sprintf("list-%d-%d-%d", round, client, n) }

func exploredList(id, learner string) lectern.Ranking {
	r := lectern.Ranking{
		ID: id, Learner: lectern.LearnerRef{ID: learner}, Surface: lectern.SurfaceHome, RequestHash: "h", ConfigVersion: "v1",
		CreatedAt: time.Now(), Weights: []lectern.TermWeight{{Name: "quality", Weight: 1}},
		Exploration: &lectern.Exploration{
			Policy: explore.PolicyThompson, Settings: "e1", Features: bandit.F1Name, Segment: lectern.SegmentActive, Places: []int{3, 7},
		},
	}
	for i := range learningItems {
		r.Items = append(r.Items, lectern.RankedItem{CourseID: fmt.Sprint("c", i), Score: 1 / float64(1+i), Propensity: 1, Terms: []float64{float64(i) / 10}})
		x := r.Exploration
		x.Slate, x.Age, x.Evidence, x.Provider = append(x.Slate, i), append(x.Age, 10), append(x.Evidence, 5), append(x.Provider, i)
	}
	return r
}

// pump clicks while during runs, and notes what was acknowledged.
func (k *learningTest) pump(s *testServer, round int, during func()) {
	var clients sync.WaitGroup
	ctx, cancel := context.WithCancel(k.t.Context())
	for client := range learningClients {
		clients.Go(func() {
			for i := 0; ctx.Err() == nil && i < learningLists*learningItems; i++ {
				list, course := listName(round, client, i/learningItems), fmt.Sprint("c", i%learningItems)
				body := fmt.Sprintf(`{"id":"e-%s-%s","type":"click","learner_id":"l%d","course_id":%q,"ranking_id":%q,"occurred_at":%q}`,
					list, course, i/learningItems%5, course, list, time.Now().UTC().Format(time.RFC3339Nano))
				if s.send(http.MethodPost, "/v1/events", k.key, body) < 300 {
					k.mu.Lock()
					k.acked[[2]string{list, course}] = true
					k.mu.Unlock()
				}
			}
		})
	}
	during()
	cancel()
	clients.Wait()
}

// wait waits until there is something to lose.
func (k *learningTest) wait() {
	k.t.Helper()
	awaitAcked(k.t, &k.mu, func() bool { return len(k.acked) > 0 })
}

// killRebuild kills a rebuild, which may have ended by itself.
func (k *learningTest) killRebuild(after time.Duration) {
	k.t.Helper()
	child := k.d.child(io.Discard, "explore", "rebuild", "--learning.batch", "3")
	if err := child.Start(); err != nil {
		k.t.Fatal(err)
	}
	time.Sleep(after)
	_ = child.Process.Kill()
	_ = child.Wait()
}

// learned is all that was learnt.
type learned struct {
	Rewards   []lectern.Reward
	Counts    []lectern.ExplorationCount
	Posterior []byte
	Position  int64
}

// check lets a server learn what is left, and finds every reward once.
func (k *learningTest) check() {
	t := k.t
	t.Helper()
	if len(k.acked) == 0 {
		t.Fatal("nothing was acknowledged before the kills: the test shows nothing")
	}
	admin := k.d.key("admin")
	s := k.d.start(k.args...)
	var status learn.Status
	eventually(t, time.Minute, "all events learnt from", func() bool {
		s.get("/v1/admin/explore/status", admin, &status)
		return status.Learning.Lag == 0 && status.Learning.Rewards >= int64(len(k.acked))
	})
	s.kill()
	was := k.learned()
	clicks, seen := map[[2]string]int{}, int64(0)
	for _, r := range was.Rewards {
		switch r.Name {
		case "click":
			clicks[[2]string{r.RankingID, r.CourseID}]++
		case lectern.RewardSeen:
			seen++
		}
	}
	for key := range k.acked {
		if clicks[key] != 1 {
			t.Errorf("the click on %v was acknowledged, and is rewarded %d times", key, clicks[key])
		}
	}
	p, err := bandit.Decode(was.Posterior, bandit.F1())
	if err != nil {
		t.Fatal(err)
	}
	if p.Rewards() != int64(len(clicks)) || p.Impressions() != seen {
		t.Errorf("the posterior has %d rewards of %d impressions, the store %d of %d", p.Rewards(), p.Impressions(), len(clicks), seen)
	}
	for _, c := range was.Counts {
		if c.Name == "click" && c.Value != 0.2*float64(c.N) && c.Value-0.2*float64(c.N) > 1e-6 {
			t.Errorf("the clicks at place %d are worth %g, they are %d", c.Position, c.Value, c.N)
		}
	}
	k.d.run("explore", "rebuild")
	again := k.learned()
	if diff := cmp.Diff(was.Rewards, again.Rewards); diff != "" {
		t.Errorf("learnt anew, rewards differ: -was +is\n%s", diff)
	}
	if string(was.Posterior) != string(again.Posterior) {
		t.Error("learnt anew, the posterior differs")
	}
	t.Logf("%d clicks acknowledged, %d rewarded, each once, of %d impressions, after %d rounds", len(k.acked), len(clicks), seen, k.rounds)
}

func (k *learningTest) learned() (out learned) {
	t := k.t
	t.Helper()
	k.d.withStore(func(store relational) {
		state, err := store.Learning(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		out.Posterior, out.Position = state.Posterior, state.Position
		var ids []string
		for round := range k.rounds {
			for client := range learningClients {
				for n := range learningLists {
					ids = append(ids, listName(round, client, n))
				}
			}
		}
		if out.Rewards, err = store.Rewards(t.Context(), 0, ids); err != nil {
			t.Fatal(err)
		}
		if out.Counts, err = store.ExplorationCounts(t.Context(), time.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	})
	return out
}
