package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/sentiment"
	"github.com/lectern-dev/lectern/opinion"
)

// longestReviewLine bounds one review on standard input, in bytes.
const longestReviewLine = 1 << 20

// scoredReview is what lectern reviews score prints of one review.
type scoredReview struct {
	Score    *float64                `json:"score"`    // probability that it is positive; null where it is not read
	Positive *bool                   `json:"positive"` // as summaries call it
	Language string                  `json:"language"` // "" is unknown
	Aspects  []sentiment.AspectScore `json:"aspects"`
	Model    string                  `json:"model"`
}

func newReviewsScoreCommand() *cobra.Command {
	var language string
	var trained bool
	cmd := &cobra.Command{
		Use: "score", Short: "Read reviews from standard input, one a line, and print what each says", Args: noArgs,
		Long: `Reads reviews from standard input, one a line, and prints a line of JSON for each: the
probability that it is positive (null for a language that is not read), whether it is
called positive, its language, and each aspect with its score. The lexicon reads, and
with --trained the model that is in use in the store.`,
		Example: `  printf 'Great lectures, dull quizzes.\n' | lectern reviews score
  lectern reviews score --trained --data ./data < reviews.txt`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !trained {
				lexicon := sentiment.NewLexicon()
				return scoreLines(cmd.InOrStdin(), cmd.OutOrStdout(), lexicon, sentiment.SeedAspects(lexicon), language)
			}
			return withOpinions(cmd, func(_ environment, k *opinion.Keeper) error {
				if err := k.Look(cmd.Context()); err != nil {
					return err
				}
				c, aspects := k.Reader()
				return scoreLines(cmd.InOrStdin(), cmd.OutOrStdout(), c, aspects, language)
			})
		},
	}
	cmd.Flags().StringVar(&language, "language", "", "that the reviews are said to be in; what they show wins")
	cmd.Flags().BoolVar(&trained, "trained", false, "read with the model that is in use in the store")
	return withConfigFlags(cmd)
}

// scoreLines reads and writes line by line.
func scoreLines(in io.Reader, out io.Writer, c sentiment.SentenceClassifier, aspects *sentiment.Aspects, language string) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, longestReviewLine)
	w := bufio.NewWriter(out)
	enc := json.NewEncoder(w)
	for lines.Scan() {
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		r := scoredReview{Model: c.Name(), Language: aspects.Language(text, language), Aspects: aspects.InText(text, language, c)}
		if r.Aspects == nil {
			r.Aspects = []sentiment.AspectScore{}
		}
		if p, ok := c.Score(text, language); ok {
			positive := sentiment.Positive(c, p, text, language)
			r.Score, r.Positive = &p, &positive
		}
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return lectern.Errorf(lectern.CodeInvalid, "standard input: %v", err)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}
