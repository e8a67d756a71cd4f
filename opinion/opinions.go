package opinion

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/lectern-dev/lectern"
)

// Summary returns what the reviews of a course say. Of a course that has not been
// read yet only the number of reviews is known.
func (k *Keeper) Summary(ctx context.Context, courseID string) (lectern.ReviewSummary, error) {
	s, err := k.o.Store.ReviewSummary(ctx, courseID)
	if lectern.ErrorCode(err) != lectern.CodeNotFound {
		return s, err
	}
	counts, err := k.countReviews(ctx, []string{courseID})
	if err != nil {
		return lectern.ReviewSummary{}, err
	}
	return lectern.ReviewSummary{CourseID: courseID, Reviews: counts[courseID]}, nil
}

// Held returns up to limit reviews that are or were held back, newest first, of one
// course ("" is all) and one status ("" is all), after the one with this id ("" at
// first), and how many there are without a limit. Errors: CodeNotFound where the one to
// go on from is not held any more.
func (k *Keeper) Held(ctx context.Context, courseID string, status lectern.HoldStatus, after string, limit int) ([]lectern.HeldReview, int, error) {
	total, err := k.o.Store.CountHeldReviews(ctx, courseID, status)
	if err != nil {
		return nil, 0, fmt.Errorf("count held reviews: %w", err)
	}
	held, err := k.o.Store.HeldReviews(ctx, courseID, status, after, limit)
	return held, total, err
}

// Decide upholds or releases a review, whether a rule holds it or not, and makes the
// summary of its course anew. Errors: CodeInvalid, CodeNotFound.
func (k *Keeper) Decide(ctx context.Context, reviewID string, status lectern.HoldStatus, by string) (lectern.HeldReview, error) {
	h, err := k.o.Store.DecideHeldReview(ctx, reviewID, status, by, lectern.Timestamp(k.o.Clock()))
	if err != nil {
		return h, err
	}
	if err := k.refreshNow(ctx, h.CourseID); err != nil {
		k.o.Logger.WarnContext(ctx, "a summary follows a decision late", slog.String("course", h.CourseID), slog.Any("err", err))
	}
	k.Notify()
	return h, nil
}

// refreshNow reads a course with the model that the store says is in use.
func (k *Keeper) refreshNow(ctx context.Context, courseID string) error {
	if err := k.Look(ctx); err != nil {
		return err
	}
	if err := k.Refresh(ctx, courseID); err != nil {
		return fmt.Errorf("make the summary anew: %w", err)
	}
	return nil
}
