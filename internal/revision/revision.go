// Package revision holds what the stores have in common about versioned settings.
package revision

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/lectern-dev/lectern"
)

// Check refuses what no store keeps. Errors: CodeInvalid.
func Check(v lectern.SettingsVersion) error {
	if v.Kind == "" {
		return lectern.Invalid("settings need a kind")
	}
	if body := bytes.TrimSpace(v.Body); !json.Valid(body) || body[0] != '{' {
		return lectern.Invalid("settings are a JSON object")
	}
	if v.Base < 0 {
		return lectern.Invalid("settings are made from a version, or from 0")
	}
	return nil
}

// Moved says that another version than base is in use by now.
func Moved(base, now int64) error {
	return &lectern.Error{
		Code:    lectern.CodePrecondition,
		Message: fmt.Sprintf("version %d is in use by now, not version %d", now, base),
		Fields:  []lectern.FieldError{lectern.NewFieldError("base", base, "is not the version in use", fmt.Sprint(now))},
	}
}

// History deals activations, newest first, out to versions, newest first. What
// activated version 0 comes last, under a version without a body.
func History(kind string, versions []lectern.SettingsVersion, all []lectern.SettingsActivation) ([]lectern.SettingsVersion, [][]lectern.SettingsActivation) {
	at := make(map[int64]int, len(versions))
	for i, v := range versions {
		at[v.Version] = i
	}
	history := make([][]lectern.SettingsActivation, len(versions), len(versions)+1)
	for _, a := range all {
		i, ok := at[a.Version]
		if !ok && a.Version != 0 {
			continue // stored since the versions were read
		}
		if !ok {
			i = len(versions)
			at[0] = i
			versions, history = append(versions, lectern.SettingsVersion{Kind: kind}), append(history, nil)
		}
		history[i] = append(history[i], a)
	}
	return versions, history
}

const (
	maxPage = 1000
	newest  = int64(1) << 62 // above every version
)

// Page returns the bounds of a page of versions.
func Page(before int64, limit int) (int64, int) {
	if before <= 0 {
		before = newest
	}
	return before, min(max(limit, 0), maxPage)
}

// Span returns the lowest and the highest version whose activations belong to a
// page of versions below before.
func Span(versions []lectern.SettingsVersion, before int64, limit int) (lowest, highest int64) {
	if n := len(versions); n > 0 && n == limit {
		lowest = versions[n-1].Version
	}
	return lowest, before - 1
}
