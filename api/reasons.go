package api

import (
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/lectern-dev/lectern"
)

// phrase is a reason's sentence in every language, with {parameters} in it.
type phrase struct{ en, es, fr, de string }

// in returns the sentence for a language of phraseLanguages.
func (p phrase) in(lang string) string {
	switch lang {
	case "es":
		return p.es
	case "fr":
		return p.fr
	case "de":
		return p.de
	}
	return p.en
}

// phraseLanguages are the languages of every phrase; the first is for callers of
// any other language.
func phraseLanguages() []language.Tag {
	return []language.Tag{language.English, language.Spanish, language.French, language.German}
}

// phrases says every reason that a list may carry. A code that is not here gets
// the generic sentence, so a new code never breaks a list.
func phrases() map[string]phrase {
	return map[string]phrase{
		"similar_to_course": {
			"Similar to “{title}”",
			"Similar a «{title}»",
			"Proche de « {title} »",
			"Ähnlich wie „{title}“",
		},
		"similar_content": {
			"Covers similar topics",
			"Trata temas similares",
			"Aborde des sujets proches",
			"Behandelt ähnliche Themen",
		},
		"matches_interest": {
			"Matches your interest in {interest}",
			"Coincide con su interés por {interest}",
			"Correspond à votre intérêt pour {interest}",
			"Passt zu Ihrem Interesse an {interest}",
		},
		"matches_goal": {
			"Brings you closer to your goal: {goal}",
			"Le acerca a su objetivo: {goal}",
			"Vous rapproche de votre objectif : {goal}",
			"Bringt Sie Ihrem Ziel näher: {goal}",
		},
		"matches_query": {
			"Matches your search: {terms}",
			"Coincide con su búsqueda: {terms}",
			"Correspond à votre recherche : {terms}",
			"Passt zu Ihrer Suche: {terms}",
		},
		"mentions_query": {
			"Mentions what you searched for: {query}",
			"Menciona lo que buscó: {query}",
			"Mentionne ce que vous cherchez : {query}",
			"Erwähnt, wonach Sie gesucht haben: {query}",
		},
		"close_to_query": {
			"Close in meaning to “{query}”",
			"De significado cercano a «{query}»",
			"Proche du sens de « {query} »",
			"Inhaltlich nah an „{query}“",
		},
		"close_to_reviews": {
			"What learners say about it is close to “{query}”",
			"Lo que opinan quienes lo cursaron es cercano a «{query}»",
			"Les avis des apprenants sont proches de « {query} »",
			"Was Lernende darüber sagen, ist nah an „{query}“",
		},
		"teaches_skill": {
			"Teaches {skill}",
			"Enseña: {skill}",
			"Enseigne : {skill}",
			"Vermittelt: {skill}",
		},
		"popular": {
			"Popular with learners",
			"Popular entre los estudiantes",
			"Apprécié par de nombreux apprenants",
			"Bei Lernenden beliebt",
		},
		"trending": {
			"Gaining interest right now",
			"En auge en este momento",
			"En plein essor en ce moment",
			"Derzeit immer gefragter",
		},
		"new_course": {
			"A new course",
			"Un curso nuevo",
			"Un nouveau cours",
			"Ein neuer Kurs",
		},
		"highly_rated": {
			"Rated {rating} out of 5 by {count} learners",
			"Valorado con {rating} sobre 5 por {count} estudiantes",
			"Noté {rating} sur 5 par {count} apprenants",
			"Mit {rating} von 5 von {count} Lernenden bewertet",
		},
		"fits_level": {
			"Fits your level: {level}",
			"Adecuado a su nivel: {level}",
			"Adapté à votre niveau : {level}",
			"Passt zu Ihrem Niveau: {level}",
		},
		"fits_time": {
			"Fits your time: {hours} hours in total",
			"Se ajusta a su tiempo: {hours} horas en total",
			"Adapté à votre temps : {hours} heures au total",
			"Passt zu Ihrer Zeit: insgesamt {hours} Stunden",
		},
		"fits_language": {
			"In a language you speak: {language}",
			"En un idioma que habla: {language}",
			"Dans une langue que vous parlez : {language}",
			"In einer Sprache, die Sie sprechen: {language}",
		},
		"similar_learners": {
			"Chosen by learners with a history like yours",
			"Lo eligen estudiantes con un historial como el suyo",
			"Choisi par des apprenants au parcours proche du vôtre",
			"Von Lernenden mit ähnlichem Verlauf gewählt",
		},
		"taken_by_similar_learners": {
			"Taken by learners like you",
			"Cursado por estudiantes como usted",
			"Suivi par des apprenants comme vous",
			"Von Lernenden wie Ihnen belegt",
		},
		"taken_together": {
			"Taken by the same learners as “{title}”",
			"Cursado por los mismos estudiantes que «{title}»",
			"Suivi par les mêmes apprenants que « {title} »",
			"Von denselben Lernenden belegt wie „{title}“",
		},
		"next_after_course": {
			"A next step after “{title}”",
			"Un paso más después de «{title}»",
			"Une suite à « {title} »",
			"Ein nächster Schritt nach „{title}“",
		},
		"in_progress": {
			"Under way",
			"En curso",
			"En cours",
			"Angefangen",
		},
		"something_different": {
			"Something different, and well liked",
			"Algo diferente y bien valorado",
			"Autre chose, et bien apprécié",
			"Etwas anderes, das gut ankommt",
		},
		"wanted_step_up": {
			"More challenging, as you asked: {level}",
			"Más exigente, como pidió: {level}",
			"Plus exigeant, comme vous l’avez demandé : {level}",
			"Anspruchsvoller, wie Sie es möchten: {level}",
		},
		"wanted_step_down": {
			"Less challenging, as you asked: {level}",
			"Menos exigente, como pidió: {level}",
			"Moins exigeant, comme vous l’avez demandé : {level}",
			"Weniger anspruchsvoll, wie Sie es möchten: {level}",
		},
		"fits_time_left": {
			"Fits your time: {hours} hours left",
			"Se ajusta a su tiempo: quedan {hours} horas",
			"Adapté à votre temps : il reste {hours} heures",
			"Passt zu Ihrer Zeit: noch {hours} Stunden",
		},
		"well_reviewed": {
			"Learners speak well of it",
			"Los estudiantes hablan bien de él",
			"Les apprenants en disent du bien",
			"Lernende sprechen gut darüber",
		},
		"adds_goal_skills": {
			"Adds skills for your goal: {skills}",
			"Aporta competencias para su objetivo: {skills}",
			"Apporte des compétences pour votre objectif : {skills}",
			"Bringt Fähigkeiten für Ihr Ziel: {skills}",
		},
		"often_finished": {
			"Most who start it finish it",
			"La mayoría de quienes lo empiezan lo terminan",
			"La plupart de ceux qui le commencent le terminent",
			"Die meisten, die ihn beginnen, schließen ihn ab",
		},
		"finished_by_similar": {
			"Most learners like you who start it finish it",
			"La mayoría de los estudiantes como usted que lo empiezan lo terminan",
			"La plupart des apprenants comme vous qui le commencent le terminent",
			"Die meisten Lernenden wie Sie, die ihn beginnen, schließen ihn ab",
		},
		"unlike_what_you_know": {
			"Unlike what you have seen so far",
			"Distinto de lo que ha visto hasta ahora",
			"Différent de ce que vous avez vu jusqu’ici",
			"Anders als das, was Sie bisher gesehen haben",
		},
		"new_from_creator": {
			"New, and well liked already",
			"Nuevo y ya bien valorado",
			"Nouveau et déjà apprécié",
			"Neu und schon beliebt",
		},
		"little_known": {
			"Little known, and well liked",
			"Poco conocido y bien valorado",
			"Peu connu et bien apprécié",
			"Wenig bekannt, aber gut bewertet",
		},
		"featured": {
			"Featured",
			"Destacado",
			"À la une",
			"Hervorgehoben",
		},
		"exploring": {
			"Something new to try",
			"Algo nuevo que probar",
			"Quelque chose de nouveau à essayer",
			"Etwas Neues zum Ausprobieren",
		},
		// What stands above the rows of a home page.
		"home_continue": {
			"Continue learning",
			"Continúe aprendiendo",
			"Continuez à apprendre",
			"Weiterlernen",
		},
		"home_for_you": {
			"For you",
			"Para usted",
			"Pour vous",
			"Für Sie",
		},
		"home_popular": {
			"Popular courses",
			"Cursos populares",
			"Cours populaires",
			"Beliebte Kurse",
		},
		"home_because": {
			"Because you completed “{title}”",
			"Porque completó «{title}»",
			"Parce que vous avez terminé « {title} »",
			"Weil Sie „{title}“ abgeschlossen haben",
		},
		"home_like": {
			"Like “{title}”",
			"Similares a «{title}»",
			"Dans l’esprit de « {title} »",
			"Kurse wie „{title}“",
		},
		"home_next": {
			"Next step after “{title}”",
			"El siguiente paso después de «{title}»",
			"L’étape suivante après « {title} »",
			"Der nächste Schritt nach „{title}“",
		},
		"home_like_you": {
			"Learners like you take these",
			"Lo que cursan estudiantes como usted",
			"Ce que suivent des apprenants comme vous",
			"Das belegen Lernende wie Sie",
		},
		"home_trending": {
			"Trending now",
			"Tendencias",
			"Tendances du moment",
			"Gerade im Trend",
		},
		"home_new": {
			"New for you",
			"Novedades para usted",
			"Nouveautés pour vous",
			"Neu für Sie",
		},
		"home_explore": {
			"Explore something new",
			"Explore algo nuevo",
			"Explorez de nouveaux horizons",
			"Entdecken Sie etwas Neues",
		},
	}
}

// genericPhrase is for codes that phrases does not know and for reasons whose
// parameters are missing.
func genericPhrase() phrase {
	return phrase{"Suggested for you", "Sugerido para usted", "Suggéré pour vous", "Für Sie vorgeschlagen"}
}

// levelWords names the levels.
func levelWords() map[string]phrase {
	return map[string]phrase{
		string(lectern.LevelBeginner):     {"beginner", "principiante", "débutant", "Einsteiger"},
		string(lectern.LevelIntermediate): {"intermediate", "intermedio", "intermédiaire", "Fortgeschrittene"},
		string(lectern.LevelAdvanced):     {"advanced", "avanzado", "avancé", "Experten"},
		string(lectern.LevelMixed):        {"any level", "cualquier nivel", "tous niveaux", "jedes Niveau"},
	}
}

// phrasebook holds the phrases ready for use; it never changes.
type phrasebook struct {
	phrases map[string]phrase
	levels  map[string]phrase
	generic phrase
	tags    []language.Tag
	matcher language.Matcher
}

func newPhrasebook() *phrasebook {
	tags := phraseLanguages()
	return &phrasebook{phrases: phrases(), levels: levelWords(), generic: genericPhrase(),
		tags: tags, matcher: language.NewMatcher(tags)}
}

// speaker says reasons in one language.
type speaker struct {
	book *phrasebook
	tag  string // one of phraseLanguages
}

// maxAcceptLanguage bounds what is parsed of a header.
const maxAcceptLanguage = 500

// choose returns the speaker for the caller's wishes, best first.
func (b *phrasebook) choose(acceptLanguage string, learner []string) speaker {
	var wanted []language.Tag
	if len(acceptLanguage) <= maxAcceptLanguage {
		// A header that cannot be read counts as none.
		wanted, _, _ = language.ParseAcceptLanguage(acceptLanguage)
	}
	for _, l := range learner {
		if t, err := language.Parse(l); err == nil {
			wanted = append(wanted, t)
		}
	}
	i := 0
	if len(wanted) > 0 {
		if _, at, confidence := b.matcher.Match(wanted...); confidence >= language.High {
			i = at
		}
	}
	return speaker{book: b, tag: b.tags[i].String()}
}

// speaker picks the language of an answer: what the request asks for, else the
// learner's own, else English. A learner who cannot be read is no reason to fail.
func (s *Server) speaker(in *request, ref lectern.LearnerRef) speaker {
	header := in.Request().Header.Get("Accept-Language")
	if header != "" || ref.IsZero() {
		return s.phrases.choose(header, nil)
	}
	l, err := s.deps.Learners.Learner(in.ctx(), ref)
	if err != nil {
		return s.phrases.choose("", nil)
	}
	return s.phrases.choose("", l.Languages)
}

func (p speaker) reasons(in []lectern.Reason) []reasonDTO {
	out := make([]reasonDTO, 0, len(in))
	for _, r := range in {
		params := r.Params
		if params == nil {
			params = map[string]string{}
		}
		out = append(out, reasonDTO{Code: r.Code, Params: params, Text: p.say(r)})
	}
	return out
}

// say returns the sentence for a reason.
func (p speaker) say(r lectern.Reason) string {
	ph, ok := p.book.phrases[r.Code]
	if !ok {
		return p.book.generic.in(p.tag)
	}
	text := ph.in(p.tag)
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, _ := strings.Cut(rest, "}")
		value := r.Params[name]
		if value == "" { // half a sentence would be worse
			return p.book.generic.in(p.tag)
		}
		b.WriteString(p.param(name, value))
		text = after
	}
}

// param writes a parameter as the language does.
func (p speaker) param(name, value string) string {
	switch name {
	case "level":
		if w, ok := p.book.levels[value]; ok {
			return w.in(p.tag)
		}
	case "rating", "hours":
		if p.tag != "en" {
			return strings.Replace(value, ".", ",", 1)
		}
	case "language":
		if t, err := language.Parse(value); err == nil {
			if n := display.Languages(language.Make(p.tag)).Name(t); n != "" {
				return n
			}
		}
	}
	return value
}
