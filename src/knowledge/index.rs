//! The search index: one tantivy document an utterance, in memory, read-only once built.
//!
//! Questions are turned into term queries here, from words that the analyser knows: no text of a user is ever parsed
//! as a query (clippy bans `QueryParser`: some 700 open brackets overflow its stack).

use std::sync::Arc;

use tantivy::directory::RamDirectory;
use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::TermInfo;
use tantivy::query::Bm25Weight;
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::{Index, InvertedIndexReader, ReloadPolicy, SegmentReader, TantivyDocument, Term};

use super::language::{Analyser, Analysis, Symbol};

/// What the writer may hold while it builds, in bytes.
const WRITER_BYTES: usize = 15_000_000;
const TOKENIZER: &str = "whitespace";
/// A trigram says less than a word.
const GRAM_WEIGHT: f32 = 0.25;
/// Words nobody knows that are looked up by their trigrams, and trigrams of each, at most.
const UNKNOWN_WORDS: usize = 4;
const GRAMS: usize = 12;

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
    words: IndexedField,
    grams: IndexedField,
    /// Where the postings of a word are, by symbol.
    places: Vec<Option<TermInfo>>,
    utterances: usize,
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
        let mut count = 0;
        for utterance in utterances {
            let mut document = TantivyDocument::default();
            let folded: Vec<&str> = utterance.words.iter().map(|w| analyser.text(*w)).collect();
            document.add_text(words, folded.join(" "));
            let pieces: Vec<String> = folded.iter().flat_map(|word| trigrams(word)).collect();
            document.add_text(grams, pieces.join(" "));
            writer.add_document(document)?;
            count += 1;
        }
        let reader = writer.finalize()?.reader_builder();
        let reader: tantivy::IndexReader = reader.reload_policy(ReloadPolicy::Manual).try_into()?;
        let searcher = reader.searcher();
        let segment = searcher.segment_reader(0);
        let words = IndexedField::open(segment, words, count)?;
        let places = (0..analyser.vocabulary() as Symbol)
            .map(|word| words.place(analyser.text(word)))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            words,
            grams: IndexedField::open(segment, grams, count)?,
            places,
            utterances: count,
        })
    }

    /// The best `limit` utterances for a question, in no order; the first of those that are equal.
    ///
    /// A word at a time, over tantivy's postings: questions are short and utterances few, so that to add up all scores
    /// costs less than to skip the low ones.
    pub fn search(&self, question: &Analysis, limit: usize) -> tantivy::Result<Vec<Hit>> {
        let mut scores = vec![0.0; self.utterances];
        for (at, word) in question.words.iter().enumerate() {
            let again = question
                .words
                .iter()
                .take(at)
                .any(|earlier| earlier == word);
            if let Some(Some(place)) = self.places.get(*word as usize)
                && !again
            {
                self.words.add(place, 1.0, &mut scores)?;
            }
        }
        for word in question.unknown.iter().take(UNKNOWN_WORDS) {
            for gram in trigrams(word).take(GRAMS) {
                if let Some(place) = self.grams.place(&gram)? {
                    self.grams.add(&place, GRAM_WEIGHT, &mut scores)?;
                }
            }
        }
        Ok(best(&scores, limit))
    }
}

/// The `limit` best of the utterances that scored, in no order. What cannot be among them any more is not even noted.
fn best(scores: &[f32], limit: usize) -> Vec<Hit> {
    let better = |a: &Hit, b: &Hit| {
        let by_score = b.score.total_cmp(&a.score);
        by_score.then(a.utterance.cmp(&b.utterance))
    };
    let room = limit.saturating_mul(4).max(1);
    let mut hits: Vec<Hit> = Vec::with_capacity(room.min(scores.len()));
    let mut least = 0.0;
    for (utterance, &score) in scores.iter().enumerate() {
        if score <= least {
            continue;
        }
        hits.push(Hit { utterance, score });
        if hits.len() == room && limit < room {
            hits.select_nth_unstable_by(limit, better);
            hits.truncate(limit);
            least = hits
                .iter()
                .map(|hit| hit.score)
                .fold(f32::INFINITY, f32::min);
        }
    }
    if hits.len() > limit {
        hits.select_nth_unstable_by(limit, better);
        hits.truncate(limit);
    }
    hits
}

/// One field of the index.
struct IndexedField {
    field: Field,
    postings: Arc<InvertedIndexReader>,
    norms: FieldNormReader,
    documents: u64,
    /// BM25 of a word that one document has; that of another differs by its information only.
    rarest: Bm25Weight,
}

impl IndexedField {
    fn open(segment: &SegmentReader, field: Field, documents: usize) -> tantivy::Result<Self> {
        let postings = segment.inverted_index(field)?;
        let documents = documents.max(1) as u64;
        let mean_length = postings.total_num_tokens() as f32 / documents as f32;
        Ok(Self {
            field,
            norms: segment.get_fieldnorms_reader(field)?,
            rarest: Bm25Weight::for_one_term(1, documents, mean_length.max(1.0)),
            postings,
            documents,
        })
    }

    fn place(&self, text: &str) -> std::io::Result<Option<TermInfo>> {
        let term = Term::from_field_text(self.field, text);
        self.postings.get_term_info(&term)
    }

    /// Adds a term's BM25 to the scores of all utterances that have it.
    fn add(&self, place: &TermInfo, weight: f32, scores: &mut [f32]) -> std::io::Result<()> {
        let told = information(self.documents as f32, place.doc_freq as f32);
        let weight = weight * told / information(self.documents as f32, 1.0);
        let option = IndexRecordOption::WithFreqs;
        let mut block = self
            .postings
            .read_block_postings_from_terminfo(place, option)?;
        while !block.docs().is_empty() {
            for (document, frequency) in block.docs().iter().zip(block.freqs()) {
                if let Some(score) = scores.get_mut(*document as usize) {
                    let norm = self.norms.fieldnorm_id(*document);
                    *score += weight * self.rarest.score(norm, *frequency);
                }
            }
            block.advance();
        }
        Ok(())
    }
}

/// Inverse document frequency, as BM25 has it.
pub fn information(documents: f32, having: f32) -> f32 {
    (1.0 + (documents - having + 0.5) / (having + 0.5)).ln()
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
            let hits = index.search(&analyser.analyse(text), 3).unwrap();
            let best = hits.into_iter().max_by(|a, b| a.score.total_cmp(&b.score));
            best.map(|hit| hit.utterance)
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
