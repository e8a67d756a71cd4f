package explore

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/lectern-dev/lectern"
)

// Validate reports every setting that is not acceptable, by its key.
func (c Config) Validate() error {
	v := checker{bad: spec().Problems(reflect.ValueOf(c), "")}
	if c.Floor > 0 && c.Floor <= 1 && c.NewCourses.Share >= 0 && c.NewCourses.Share <= 1 {
		v.check(c.Floor+c.NewCourses.Share <= 1+1e-9, "new_courses.share", c.NewCourses.Share, // 0.1 + 0.9 is 1
			fmt.Sprintf("at most %.6g: with the floor of %v it may not be over 1", 1-c.Floor, c.Floor))
	}
	first := make(map[string]int, len(c.Rewards))
	for i := range c.Rewards {
		v.reward(fmt.Sprintf("rewards[%d].", i), &c.Rewards[i])
		if before, ok := first[c.Rewards[i].Name]; ok {
			v.check(false, fmt.Sprintf("rewards[%d].name", i), c.Rewards[i].Name, fmt.Sprintf("a name that no other reward has: rewards[%d] has it", before))
			continue
		}
		first[c.Rewards[i].Name] = i
	}
	if len(v.bad) == 0 {
		return nil
	}
	return lectern.Invalid("the exploration settings are not usable", v.bad...)
}

// Doubts says, in sentences, what usable settings do not do that somebody may expect.
func (c Config) Doubts() []string {
	if !c.Enabled {
		return nil
	}
	var out []string
	p := c.Places
	if len(p.Home)+len(p.Search)+len(p.Similar)+len(p.Next)+len(p.Trending) == 0 {
		out = append(out, "exploration is on, but no surface has places: no list explores but the row explore")
	}
	if len(c.Rewards) == 0 {
		out = append(out, "there are no rewards: nothing is learnt from what lists explore")
	}
	return out
}

// checker gathers what is wrong.
type checker struct{ bad []lectern.FieldError }

func (v *checker) check(ok bool, key string, value any, allowed string) {
	if !ok {
		v.bad = append(v.bad, lectern.NewFieldError(keyPrefix+key, value, "is not allowed", allowed))
	}
}

// reward checks what the bounds of single fields do not say.
func (v *checker) reward(at string, r *Reward) {
	v.check(r.Name != "" && strings.Trim(r.Name, "abcdefghijklmnopqrstuvwxyz0123456789_") == "", at+"name", r.Name,
		"lower-case letters, digits and underscores")
	v.check(r.Name != lectern.RewardSeen && r.Name != lectern.CountReports, at+"name", r.Name,
		"another word: seen and report are counted by themselves")
	v.check(r.Value != 0, at+"value", r.Value, "other than 0")
	if !(r.AtLeast >= 0 && r.AtLeast <= lectern.MaxStars) {
		return // found fault with already
	}
	switch r.Event {
	case lectern.EventProgress:
		v.check(r.AtLeast <= 1, at+"at_least", r.AtLeast, "a share of the course, 0 to 1")
	case lectern.EventRate:
		v.check(r.AtLeast == 0 || r.AtLeast >= lectern.MinStars, at+"at_least", r.AtLeast,
			fmt.Sprintf("%v to %v stars, or 0 for any", lectern.MinStars, lectern.MaxStars))
	default:
		v.check(r.AtLeast == 0, at+"at_least", r.AtLeast, "none: only progress and ratings have an amount")
	}
}
