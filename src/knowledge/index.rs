//! The search index: one tantivy document an utterance, in memory, read-only once built.
//!
//! Questions are turned into term queries here, from words that the analyser knows: no text of a user is ever parsed
//! as a query (clippy bans `QueryParser`: some 700 open brackets overflow its stack).

use rustc_hash::FxHashSet;
use tantivy::collector::TopDocs;
use tantivy::directory::RamDirectory;
use tantivy::query::{BooleanQuery, BoostQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::{Index, ReloadPolicy, Searcher, TantivyDocument, Term};

use super::language::{Analyser, Analysis};

/// What the writer may hold while it builds, in bytes.
const WRITER_BYTES: usize = 15_000_000;
const TOKENIZER: &str = "whitespace";
/// A trigram says less than a word.
const GRAM_WEIGHT: f32 = 0.25;

/// One utterance that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// The utterance's number, in the order in which they were added.
    pub utterance: usize,
    /// BM25 score; comparable within one question only.
    pub score: f32,
}

/// All utterances of a knowledge, searchable by their folded words and, for words nobody knows, by trigrams.
pub struct UtteranceIndex {
    searcher: Searcher,
    words: Field,
    grams: Field,
}

impl UtteranceIndex {
    /// Indexes `utterances` in order.
    pub fn build<'a>(
        analyser: &Analyser,
        utterances: impl Iterator<Item = &'a Analysis>,
    ) -> tantivy::Result<Self> {
        let mut schema = Schema::builder();
        let indexing = TextFieldIndexing::default()
            .set_tokenizer(TOKENIZER)
            .set_index_option(IndexRecordOption::WithFreqs);
        let options = TextOptions::default().set_indexing_options(indexing);
        let words = schema.add_text_field("words", options.clone());
        let grams = schema.add_text_field("grams", options);
        let mut writer = Index::builder()
            .schema(schema.build())
            .single_segment_index_writer(RamDirectory::create(), WRITER_BYTES)?;
        for utterance in utterances {
            let mut document = TantivyDocument::default();
            let folded: Vec<&str> = utterance.words.iter().map(|w| analyser.text(*w)).collect();
            document.add_text(words, folded.join(" "));
            let pieces: Vec<String> = folded.iter().flat_map(|word| trigrams(word)).collect();
            document.add_text(grams, pieces.join(" "));
            writer.add_document(document)?;
        }
        let searcher = writer
            .finalize()?
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()?
            .searcher();
        Ok(Self {
            searcher,
            words,
            grams,
        })
    }

    /// The best `limit` utterances for a question, best first.
    pub fn search(
        &self,
        analyser: &Analyser,
        question: &Analysis,
        limit: usize,
    ) -> tantivy::Result<Vec<Hit>> {
        let mut seen = FxHashSet::default();
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::with_capacity(16);
        for word in &question.words {
            if seen.insert(*word) {
                clauses.push((Occur::Should, self.term(self.words, analyser.text(*word))));
            }
        }
        for word in question.unknown.iter().take(4) {
            for gram in trigrams(word).take(12) {
                let query = BoostQuery::new(self.term(self.grams, &gram), GRAM_WEIGHT);
                clauses.push((Occur::Should, Box::new(query)));
            }
        }
        if clauses.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let found = self.searcher.search(
            &BooleanQuery::new(clauses),
            &TopDocs::with_limit(limit).order_by_score(),
        )?;
        Ok(found
            .into_iter()
            .map(|(score, address)| Hit {
                utterance: address.doc_id as usize,
                score,
            })
            .collect())
    }

    fn term(&self, field: Field, text: &str) -> Box<dyn Query> {
        let term = Term::from_field_text(field, text);
        Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs))
    }
}

/// The word's runs of three letters, its ends marked.
fn trigrams(word: &str) -> impl Iterator<Item = String> {
    let padded: Vec<char> = std::iter::once('^')
        .chain(word.chars())
        .chain(std::iter::once('$'))
        .collect();
    let count = padded.len().saturating_sub(2);
    (0..count).map(move |at| padded.iter().skip(at).take(3).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::lexicon::Lexicon;

    #[test]
    fn the_nearest_utterance_is_found_also_by_a_word_nobody_knows() {
        let texts = ["lupa kata laluan", "slip gaji bulan ini", "hubungi pegawai"];
        let analyser = Analyser::new(&Lexicon::default(), texts.into_iter());
        let analysed: Vec<Analysis> = texts.iter().map(|t| analyser.analyse(t)).collect();
        let index = UtteranceIndex::build(&analyser, analysed.iter()).unwrap();
        let best = |text: &str| {
            let hits = index.search(&analyser, &analyser.analyse(text), 3).unwrap();
            hits.first().map(|hit| hit.utterance)
        };
        assert_eq!(best("gaji"), Some(1));
        assert_eq!(best("menghubungipegawainya"), Some(2));
        assert_eq!(best("((((:*:*"), None);
    }

    #[test]
    fn the_index_is_reachable_through_whole_words_only() {
        assert_eq!(trigrams("ec").collect::<Vec<_>>(), ["^ec", "ec$"]);
        assert_eq!(trigrams("").count(), 0);
    }
}
