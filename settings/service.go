package settings

import (
	"strconv"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/settings/versioned"
)

// What is kept of the reranker's settings; see package versioned.
type (
	Options    = versioned.Options[rerank.Config]
	Document   = versioned.Document[rerank.Config]
	Result     = versioned.Result[rerank.Config]
	Change     = versioned.Change
	Version    = versioned.Version
	Activation = versioned.Activation
	Warning    = versioned.Warning
)

// What a warning is about.
const (
	WarnClash      = versioned.WarnClash
	WarnNoEffect   = versioned.WarnNoEffect
	WarnUnreadable = versioned.WarnUnreadable
)

// Service reads, writes and uses the settings. It is safe for concurrent use.
type Service struct {
	*versioned.Service[rerank.Config, *rerank.Linear]
}

var _ rerank.Source = (*Service)(nil)

// New returns a service that uses the file's settings until Load or Run has looked.
// Errors: CodeInvalid naming the keys of the file at fault.
func New(o Options) (*Service, error) {
	s, err := versioned.New(versioned.Kind[rerank.Config, *rerank.Linear]{
		Name: lectern.SettingsRerank, Noun: "rerank settings", Prefix: NamePrefix, Uses: "ranks by",
		Parse: rerank.Parse, Document: rerank.Document, Merge: rerank.MergeDocument, Diff: rerank.DiffDocuments,
		File: func(cfg rerank.Config) (*rerank.Linear, string, error) {
			linear, err := rerank.NewLinear(cfg)
			if err != nil {
				return nil, "", err
			}
			return linear, linear.Version(), nil
		},
		Compile: rerank.New,
	}, o)
	if err != nil {
		return nil, err
	}
	return &Service{s}, nil
}

// NamePrefix is what names of stored versions begin with.
const NamePrefix = "v"

// Name is how lists call a stored version.
func Name(version int64) string { return NamePrefix + strconv.FormatInt(version, 10) }

// Reranker returns the reranker in use. A request takes it once.
func (s *Service) Reranker() rerank.Reranker {
	linear, _ := s.Use()
	return linear
}
