use std::rc::Rc;

use crate::Layer;

/// Makes a layer for one stack, of which it is told the number that [`Environment`](crate::Environment)
/// gives it.
pub type MakeLayer<Out, In> = Rc<dyn Fn(u64) -> Box<dyn Layer<Out, In>>>;

/// The layers of one's own at one end, by their names, beside the built-in ones.
pub struct Layers<Out, In = Out>(Vec<(String, MakeLayer<Out, In>)>);

impl<Out, In> Layers<Out, In> {
    /// Adds a layer; of one name the first is taken.
    pub fn add(&mut self, name: impl Into<String>, make: MakeLayer<Out, In>) {
        self.0.push((name.into(), make));
    }

    pub(crate) fn make(&self, name: &str, link: u64) -> Option<Box<dyn Layer<Out, In>>> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, make)| make(link))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

impl<Out, In> Default for Layers<Out, In> {
    fn default() -> Self {
        Layers(Vec::new())
    }
}

impl<Out, In> Clone for Layers<Out, In> {
    fn clone(&self) -> Self {
        Layers(self.0.clone())
    }
}

impl<Out, In> std::fmt::Debug for Layers<Out, In> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
