package settings

import (
	"context"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// AddRule adds a rule to the settings in use, in place of the one with its id if there
// is one. Without IfMatch it is added to whatever is in use, and no change in between
// is lost. Errors are Put's; CodeRefused where this build cannot read what is in use.
func (s *Service) AddRule(ctx context.Context, rule rerank.Rule, c Change) (Result, error) {
	return s.Change(ctx, c, func(d Document) (rerank.Config, error) {
		if !d.Readable {
			return rerank.Config{}, lectern.Errorf(lectern.CodeRefused, "this build cannot read the settings in use, so it cannot add to them")
		}
		cfg := d.Config
		cfg.Rules = slices.Clone(cfg.Rules)
		if i := slices.IndexFunc(cfg.Rules, func(r rerank.Rule) bool { return r.ID == rule.ID }); i >= 0 {
			cfg.Rules[i] = rule
		} else {
			cfg.Rules = append(cfg.Rules, rule)
		}
		body, err := rerank.Document(cfg)
		if err != nil {
			return rerank.Config{}, err
		}
		return rerank.Parse(body)
	})
}
