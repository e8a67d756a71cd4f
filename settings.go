package lectern

import (
	"context"
	"encoding/json"
	"time"
)

// SettingsRerank names the settings of the reranker: the document of package rerank.
const SettingsRerank = "rerank"

// SettingsExplore names the settings of exploration: the document of package explore.
const SettingsExplore = "explore"

// SettingsVersion is one version of a settings document. Versions are never changed;
// which one holds may be.
type SettingsVersion struct {
	Kind      string
	Version   int64           // from 1, rising by one
	Body      json.RawMessage // the whole document, a JSON object
	Author    string          // id of the API key, or "cli"
	Comment   string
	CreatedAt time.Time
	Base      int64 // the version it was made from; 0 is the configuration file's
}

// SettingsActivation says since when a version holds: one entry of the history of
// what was in use.
type SettingsActivation struct {
	Seq     int64 // rises with every activation of any kind
	Kind    string
	Version int64
	Author  string
	Comment string
	At      time.Time
}

// SettingsStore keeps versioned settings documents. Of two writers that start from
// the same version one succeeds.
type SettingsStore interface {
	// PutSettings stores v as the next version of its kind and activates it, if the
	// version in use is still v.Base (0: none). It returns v with its number. Errors:
	// CodePrecondition when another version is in use by now, with nothing stored.
	PutSettings(ctx context.Context, v SettingsVersion) (SettingsVersion, error)
	// ActivateSettings makes a version the one in use; with base above or equal 0 only
	// if base is in use (−1: whatever is). Activating the one in use changes nothing.
	// Errors: CodeNotFound, CodePrecondition.
	ActivateSettings(ctx context.Context, a SettingsActivation, base int64) error
	// ActiveSettings returns the version in use and its activation. Errors:
	// CodeNotFound while there is none.
	ActiveSettings(ctx context.Context, kind string) (SettingsVersion, SettingsActivation, error)
	// Settings returns one version. Errors: CodeNotFound.
	Settings(ctx context.Context, kind string, version int64) (SettingsVersion, error)
	// SettingsVersions lists up to limit versions below before (0: all), newest first,
	// and for each the activations it had, newest first.
	SettingsVersions(ctx context.Context, kind string, before int64, limit int) ([]SettingsVersion, [][]SettingsActivation, error)
}

// SettingsWatcher is a SettingsStore that says when settings may have changed. It is
// a hint: whoever must not miss a change polls as well.
type SettingsWatcher interface {
	// WatchSettings calls changed after every activation, from any process, until ctx
	// ends. Calls may come late, twice, or not at all while the store is away.
	WatchSettings(ctx context.Context, changed func()) error
}
