package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// The always-valid side: a normal mixture over possible effects (Robbins 1970; as the
// mixture SPRT of Johari, Pekelis and Walsh 2017, and as a confidence sequence in
// Howard et al. 2021). With z the estimate in standard errors and k the mixture's
// variance in squared standard errors, the likelihood ratio of the mixture to no effect
// is exp(z²/2 · k/(1+k)) ÷ √(1+k). It is a martingale without an effect, so the chance
// that it ever reaches 1/α is at most α (Ville). With estimated variances this holds in
// the limit (Waudby-Smith et al. 2021), which is why nothing is said before the burn-in.

// logEvidence returns the log of that likelihood ratio.
func logEvidence(z, k float64) float64 {
	return z*z/2*k/(1+k) - math.Log1p(k)/2
}

// logEvidenceAbove is logEvidence against effects of at most 0 alone: half of the
// mixture lies above 0, none below.
func logEvidenceAbove(z, k float64) float64 {
	return logEvidence(z, k) + math.Ln2 + logPhi(z*math.Sqrt(k/(1+k)))
}

// logPhi is the log of the normal distribution function.
func logPhi(x float64) float64 {
	if x > -30 {
		return math.Log(math.Erfc(-x/math.Sqrt2) / 2)
	}
	return -x*x/2 - math.Log(-x*math.Sqrt(2*math.Pi)) // its tail
}

// reach returns how many standard errors the sequence's interval reaches to each side.
func reach(k, alpha float64) float64 {
	if k <= 0 {
		return math.Inf(1)
	}
	return math.Sqrt((1 + k) / k * (math.Log1p(k) + 2*math.Log(1/alpha)))
}

// reachAbove is reach where the interval is open on one side.
func reachAbove(k, alpha float64) float64 {
	if k <= 0 {
		return math.Inf(1)
	}
	low, high := 0.0, reach(k, alpha)
	for range 60 {
		if mid := (low + high) / 2; logEvidenceAbove(mid, k) >= math.Log(1/alpha) {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}

// best returns the k at which reach is least: that is where the interval should be
// narrowest, at the planned size. There reach is √(1+k).
func best(alpha float64) float64 {
	at := 2 * math.Log(1/alpha)
	k := at
	for range 100 {
		next := math.Log1p(k) + at
		if math.Abs(next-k) < 1e-13*next {
			break
		}
		k = next
	}
	return k
}

// fromT turns a t-statistic into the z as far out, and toT back (Wallace 1959; to
// about 1e-3 in z). Few units have heavier tails than the mixture knows of.
func fromT(t, df float64) float64 {
	if math.IsInf(df, 1) || math.IsInf(t, 0) {
		return t
	}
	return math.Copysign((8*df+1)/(8*df+3)*math.Sqrt(df*math.Log1p(t*t/df)), t)
}

func toT(z, df float64) float64 {
	if math.IsInf(df, 1) || math.IsInf(z, 0) {
		return z
	}
	y := z * (8*df + 3) / (8*df + 1)
	return math.Copysign(math.Sqrt(df*math.Expm1(y*y/df)), z)
}

// manyDF is from where on Hill's expansion of Student's t is exact to nine digits.
const manyDF = 200

// tQuantile returns how many standard errors a fixed interval reaches to each side. For
// many degrees of freedom it is expanded about the normal's (Hill 1970), fifty times as
// fast.
func tQuantile(alpha, df float64) float64 {
	z := distuv.UnitNormal.Quantile(1 - alpha/2)
	if math.IsInf(df, 1) {
		return z
	}
	if df < manyDF {
		return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(1 - alpha/2)
	}
	w := z * z
	return z * (1 + ((w+1)/4+((5*w+16)*w+3)/(96*df)+(((3*w+19)*w+17)*w-15)/(384*df*df)+
		((((79*w+776)*w+1482)*w-1920)*w-945)/(92160*df*df*df))/df)
}

// tSurvival returns the chance of a t-statistic at least so far out, to either side.
func tSurvival(t, df float64) float64 {
	t = math.Abs(t)
	if math.IsInf(df, 1) || df > 1e6 {
		return math.Erfc(t / math.Sqrt2)
	}
	return 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.CDF(-t)
}
