package api

import (
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/lectern-dev/lectern"
)

// secretLearnerTokens names the signing secret in the KeyStore, so that every
// replica signs and accepts the same tokens.
const secretLearnerTokens = "learner_tokens_hs256"

// tokenAudience keeps our tokens apart from other JWTs of the platform.
const tokenAudience = "lectern:learner"

// tokenSigner makes and checks learner tokens.
type tokenSigner struct {
	secret []byte
	parser *jwt.Parser
}

func newTokenSigner(secret []byte, clock lectern.Clock) *tokenSigner {
	return &tokenSigner{secret: secret, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithAudience(tokenAudience),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(5*time.Second), // replicas' clocks differ a little
		jwt.WithTimeFunc(clock),
	)}
}

// sign makes a token for one learner.
func (t *tokenSigner) sign(learnerID string, now time.Time, life time.Duration) (string, time.Time, error) {
	now = now.Truncate(time.Second)
	expires := now.Add(life)
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		Subject: learnerID, Audience: jwt.ClaimStrings{tokenAudience},
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expires),
	}).SignedString(t.secret)
	if err != nil {
		return "", expires, fmt.Errorf("sign a learner token: %w", err)
	}
	return text, expires, nil
}

// learner returns whose token this is. Errors: CodeUnauthenticated.
func (t *tokenSigner) learner(text string) (string, error) {
	var claims jwt.RegisteredClaims
	_, err := t.parser.ParseWithClaims(text, &claims, func(*jwt.Token) (any, error) { return t.secret, nil })
	if err != nil || claims.Subject == "" {
		return "", &lectern.Error{Code: lectern.CodeUnauthenticated,
			Message: "the learner token is not valid or has expired", Err: err}
	}
	return claims.Subject, nil
}
