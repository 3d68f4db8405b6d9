// Stands in for react-style-singleton, with which GraphiQL's dialogs stop the page behind them from
// scrolling: it adds an element <style>, which the page's policy forbids. A script may make a sheet.
import { useEffect } from "react";

/** Makes a component whose style sheet applies while it is shown. */
export function styleSingleton() {
  return function Sheet({ styles }: { styles: string }): null {
    useEffect(() => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(styles);
      document.adoptedStyleSheets.push(sheet);
      return () => {
        document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
      };
    }, [styles]);
    return null;
  };
}
